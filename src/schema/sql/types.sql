-- Enums, domains, ranges and free-standing composite types; constraints of domains are apart.
SELECT format('%I.%I', n.nspname, t.typname), p.property, p.value
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
CROSS JOIN LATERAL (VALUES
  ('kind', CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range'
                          ELSE 'composite' END),
  ('labels', (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
              FROM pg_enum e WHERE e.enumtypid = t.oid)),
  ('base type', CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END),
  ('not null', CASE t.typtype WHEN 'd' THEN t.typnotnull::text END),
  ('default', CASE t.typtype WHEN 'd' THEN t.typdefault END),
  ('subtype', (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r
               WHERE r.rngtypid = t.oid)),
  ('attributes', (SELECT string_agg(format('%I %s', a.attname,
                                           format_type(a.atttypid, a.atttypmod)),
                                    ', ' ORDER BY a.attnum)
                  FROM pg_attribute a
                  WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0
                    AND NOT a.attisdropped))
) p(property, value)
WHERE (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c')
  AND p.value IS NOT NULL
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass
                  AND d.objid = t.oid AND d.deptype = 'e')
