-- How far long statements are, in this database. $1: its oid.
SELECT p.pid, p.command, p.phase, COALESCE(p.done, 0)::int8, COALESCE(p.total, 0)::int8
FROM (
  SELECT pid, datid, command, phase,
         CASE WHEN tuples_total > 0 THEN tuples_done ELSE blocks_done END AS done,
         CASE WHEN tuples_total > 0 THEN tuples_total ELSE blocks_total END AS total
  FROM pg_stat_progress_create_index
  UNION ALL
  SELECT pid, datid, command, phase,
         heap_tuples_scanned + heap_tuples_written + index_rebuild_count, 0
  FROM pg_stat_progress_cluster
  UNION ALL
  SELECT pid, datid, 'VACUUM', phase, heap_blks_scanned + heap_blks_vacuumed, heap_blks_total
  FROM pg_stat_progress_vacuum
  UNION ALL
  SELECT pid, datid, command, 'copying', tuples_processed, 0
  FROM pg_stat_progress_copy
) p
WHERE p.datid = $1
