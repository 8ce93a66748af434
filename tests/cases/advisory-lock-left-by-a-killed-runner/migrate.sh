# A pod that is killed while it migrates, as by its memory limit; the next one is not.
psql -X -q -v ON_ERROR_STOP=1 <<'SQL'
SELECT pg_advisory_lock(4711);
ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text;
SELECT nextval('starts') = 1 AS is_first \gset
\if :is_first
\! kill -KILL $PPID
\endif
SELECT pg_advisory_unlock(4711);
SQL
