-- What a standby says of itself, asked after its primary. Locks that it replays belong to the
-- startup process. regclass asks the catalogue cache only: it takes no lock on the relation.
SELECT pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0')::int8,
       COALESCE(pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::int8, 0),
       (extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000000)::int8,
       c.confl_tablespace, c.confl_lock, c.confl_snapshot, c.confl_bufferpin, c.confl_deadlock,
       s.pid, s.wait_event,
       ARRAY(SELECT DISTINCT l.relation::regclass::text FROM pg_locks l
             WHERE l.granted AND l.pid = s.pid AND l.mode = 'AccessExclusiveLock'
               AND l.locktype = 'relation' AND l.database = c.datid)
FROM pg_stat_database_conflicts c
LEFT JOIN pg_stat_activity s ON s.backend_type = 'startup'
WHERE c.datname = current_database()
LIMIT 1
