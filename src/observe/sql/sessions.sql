-- Every session that the server shows: since when, and whether it only probes. $1: oid of the
-- database; $2: application_name of those that do. The view would join names to each for nothing.
SELECT a.pid, (extract(epoch FROM a.backend_start) * 1000000)::int8,
       COALESCE(a.datid = $1 AND a.application_name = $2, false)
FROM pg_stat_get_activity(NULL) a
