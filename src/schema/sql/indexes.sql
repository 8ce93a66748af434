-- Indexes, those that serve a constraint included.
SELECT format('%I.%I', n.nspname, x.relname), p.property, p.value
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = x.relnamespace
CROSS JOIN LATERAL (VALUES
  ('definition', pg_get_indexdef(i.indexrelid)),
  ('indisunique', i.indisunique::text),
  ('indisvalid', i.indisvalid::text),
  ('indisready', i.indisready::text),
  ('partition of', (SELECT h.inhparent::regclass::text FROM pg_inherits h
                    WHERE h.inhrelid = i.indexrelid)),
  ('replica identity', CASE WHEN i.indisreplident THEN 'true' END)
) p(property, value)
WHERE x.relpersistence <> 't' AND p.value IS NOT NULL
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid IN (i.indexrelid, i.indrelid) AND d.deptype = 'e')
