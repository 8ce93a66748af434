-- The backends of this database, but for the one that asks. $1: oid of the database.
SELECT a.pid, COALESCE(a.backend_type, ''), COALESCE(a.application_name, ''), a.state,
       a.wait_event_type, a.wait_event,
       (extract(epoch FROM clock_timestamp() - a.xact_start) * 1000000)::int8,
       (extract(epoch FROM clock_timestamp() - a.query_start) * 1000000)::int8,
       left(COALESCE(a.query, ''), 200),
       (extract(epoch FROM a.backend_start) * 1000000)::int8
FROM pg_stat_activity a
WHERE a.datid = $1 AND a.pid <> pg_backend_pid()
ORDER BY a.pid
