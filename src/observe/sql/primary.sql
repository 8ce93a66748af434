-- What a primary says of its standby and of its slots; the standby's row may be missing.
-- $1: application_name of the standby. A slot that keeps nothing has no restart_lsn.
SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::int8,
       r.state,
       pg_wal_lsn_diff(r.sent_lsn, '0/0')::int8,
       pg_wal_lsn_diff(r.write_lsn, '0/0')::int8,
       pg_wal_lsn_diff(r.flush_lsn, '0/0')::int8,
       pg_wal_lsn_diff(r.replay_lsn, '0/0')::int8,
       (extract(epoch FROM r.replay_lag) * 1000000)::int8,
       ARRAY(SELECT slot_name::text FROM pg_replication_slots
             WHERE restart_lsn IS NOT NULL ORDER BY slot_name),
       ARRAY(SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::int8
             FROM pg_replication_slots WHERE restart_lsn IS NOT NULL ORDER BY slot_name)
FROM (SELECT 1) one
LEFT JOIN pg_stat_replication r ON r.application_name = $1
LIMIT 1
