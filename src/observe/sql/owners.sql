-- Relations as their users know them: the table of an index and of a TOAST table, else themselves.
-- $1: oids. Asked when something waits for a relation for the first time, not with every sample.
SELECT r.oid,
       COALESCE(
         CASE WHEN t.relnamespace = 'pg_toast'::regnamespace
              THEN substring(t.relname FROM '^pg_toast_([0-9]+)')::oid END,
         t.oid
       )::regclass::text
FROM unnest($1::oid[]) AS r (oid)
JOIN pg_class t
  ON t.oid = COALESCE((SELECT i.indrelid FROM pg_index i WHERE i.indexrelid = r.oid), r.oid)
