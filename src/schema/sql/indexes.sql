-- Indexes, those that serve a constraint included.
SELECT 'index', format('%I.%I', n.nspname, x.relname), p.property, p.value
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = x.relnamespace
LEFT JOIN pg_tablespace s ON s.oid = x.reltablespace
LEFT JOIN pg_description d
  ON d.classoid = 'pg_class'::regclass AND d.objoid = x.oid AND d.objsubid = 0
CROSS JOIN LATERAL (VALUES
  ('definition', pg_get_indexdef(i.indexrelid)),
  ('indisunique', i.indisunique::text),
  ('indisvalid', i.indisvalid::text),
  ('indisready', i.indisready::text),
  -- False while DROP INDEX CONCURRENTLY is at it, or after it failed.
  ('indislive', CASE WHEN NOT i.indislive THEN 'false' END),
  -- Of a partitioned table: it holds nothing itself, and is valid once every partition has one.
  ('partitioned', CASE x.relkind WHEN 'I' THEN 'true' END),
  ('partition of', (SELECT h.inhparent::regclass::text FROM pg_inherits h
                    WHERE h.inhrelid = i.indexrelid)),
  ('replica identity', CASE WHEN i.indisreplident THEN 'true' END),
  ('clustered', CASE WHEN i.indisclustered THEN 'true' END),
  ('tablespace', s.spcname),
  ('statistics targets', (SELECT string_agg(format('%s: %s', a.attnum, a.attstattarget), ', '
                                            ORDER BY a.attnum)
                          FROM pg_attribute a
                          WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0)),
  ('comment', d.description)
) p(property, value)
WHERE x.relpersistence <> 't' AND p.value IS NOT NULL
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid IN (i.indexrelid, i.indrelid) AND d.deptype = 'e')
