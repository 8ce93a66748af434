-- Columns of tables. The position counts live columns: a dropped one shifts nobody's SELECT *.
SELECT format('%I.%I.%I', n.nspname, c.relname, a.attname), p.property, p.value
FROM (SELECT *, row_number() OVER (PARTITION BY attrelid ORDER BY attnum) AS position
      FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped) a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
CROSS JOIN LATERAL (VALUES
  ('position', a.position::text),
  ('type', format_type(a.atttypid, a.atttypmod)),
  ('collation', (SELECT format('%I.%I', m.nspname, l.collname)
                 FROM pg_collation l JOIN pg_namespace m ON m.oid = l.collnamespace
                 WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation)),
  ('not null', a.attnotnull::text),
  ('default', CASE a.attgenerated WHEN '' THEN pg_get_expr(e.adbin, e.adrelid) END),
  ('generated', CASE a.attgenerated
     WHEN 's' THEN format('stored: %s', pg_get_expr(e.adbin, e.adrelid))
     WHEN 'v' THEN format('virtual: %s', pg_get_expr(e.adbin, e.adrelid)) END),
  ('identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END),
  ('storage', CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage::text END)
) p(property, value)
WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't' AND p.value IS NOT NULL
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
