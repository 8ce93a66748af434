-- What is not granted in this database, and the locks of its blockers on the same object.
-- $1: oid of the database.
--
-- One reading of the lock table serves both sides, so that a waiter and its holder belong to one
-- moment. A wait for a transaction or a virtual transaction names no database, but a session that waits
-- for one has locked something in its own. Where nothing waits, the rest is never executed.
-- regclass asks the catalogue cache only: it takes no lock on the relation, and prints the number
-- of one that it cannot see.
WITH locks AS MATERIALIZED (SELECT * FROM pg_locks),
waits AS MATERIALIZED (
  SELECT l.*,
         (extract(epoch FROM clock_timestamp() - l.waitstart) * 1000000)::int8 AS waited_us,
         pg_blocking_pids(l.pid) AS blockers
  FROM locks l
  WHERE NOT l.granted AND l.pid IN (SELECT o.pid FROM locks o WHERE o.database = $1)
)
SELECT w.pid, w.locktype, w.mode, w.relation::regclass::text, w.waited_us, w.blockers,
       COALESCE(h.pid, 0), h.mode, w.relation
FROM waits w
LEFT JOIN locks h
  ON h.granted
  AND COALESCE(h.pid, 0) = ANY (w.blockers)
  AND h.locktype = w.locktype
  AND (h.database, h.relation, h.page, h.tuple, h.virtualxid, h.transactionid,
       h.classid, h.objid, h.objsubid)
      IS NOT DISTINCT FROM
      (w.database, w.relation, w.page, w.tuple, w.virtualxid, w.transactionid,
       w.classid, w.objid, w.objsubid)
ORDER BY w.pid, h.pid, h.mode
