-- Sequences, not their values.
SELECT 'sequence', format('%I.%I', n.nspname, c.relname), p.property, p.value
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (VALUES
  ('type', format_type(s.seqtypid, NULL)),
  ('start', s.seqstart::text),
  ('increment', s.seqincrement::text),
  ('minimum', s.seqmin::text),
  ('maximum', s.seqmax::text),
  ('cache', s.seqcache::text),
  ('cycle', s.seqcycle::text),
  -- Since 15.
  ('persistence', CASE c.relpersistence WHEN 'u' THEN 'unlogged' END),
  ('owned by', (SELECT format('%s.%I', d.refobjid::regclass, a.attname)
                FROM pg_depend d
                JOIN pg_attribute a ON (a.attrelid, a.attnum) = (d.refobjid, d.refobjsubid)
                WHERE d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid
                  AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))),
  ('comment', obj_description(c.oid, 'pg_class'))
) p(property, value)
WHERE c.relpersistence <> 't' AND p.value IS NOT NULL
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
