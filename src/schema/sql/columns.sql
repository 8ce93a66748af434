-- Columns of tables; of views what their definition does not say. The position counts live
-- columns: a dropped one does not shift the columns of SELECT *.
SELECT 'column', format('%I.%I.%I', n.nspname, c.relname, a.attname), p.property, p.value
FROM (SELECT *, row_number() OVER (PARTITION BY attrelid ORDER BY attnum) AS position
      FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped) a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
LEFT JOIN pg_description d
  ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = a.attnum
CROSS JOIN LATERAL (SELECT c.relkind IN ('v', 'm')) v(is_view)
CROSS JOIN LATERAL (VALUES
  ('position', CASE WHEN NOT v.is_view THEN a.position::text END),
  ('type', CASE WHEN NOT v.is_view THEN format_type(a.atttypid, a.atttypmod) END),
  ('collation', CASE WHEN NOT v.is_view AND a.attcollation <> t.typcollation
     THEN (SELECT format('%I.%I', m.nspname, l.collname)
           FROM pg_collation l JOIN pg_namespace m ON m.oid = l.collnamespace
           WHERE l.oid = a.attcollation) END),
  ('not null', CASE WHEN NOT v.is_view THEN a.attnotnull::text END),
  ('default', CASE a.attgenerated WHEN '' THEN pg_get_expr(e.adbin, e.adrelid) END),
  ('generated', CASE a.attgenerated
     WHEN 's' THEN format('stored: %s', pg_get_expr(e.adbin, e.adrelid))
     WHEN 'v' THEN format('virtual: %s', pg_get_expr(e.adbin, e.adrelid)) END),
  ('identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END),
  ('storage', CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage
     WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END END),
  ('compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END),
  -- No target of its own is -1 before 17 and null since.
  ('statistics target', CASE WHEN a.attstattarget >= 0 THEN a.attstattarget::text END),
  ('options', (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(a.attoptions) o)),
  ('foreign options', (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(a.attfdwoptions) o)),
  ('inherited', CASE WHEN a.attinhcount > 0 AND a.attislocal THEN 'true, and declared here'
                     WHEN a.attinhcount > 0 THEN 'true' END),
  ('comment', d.description)
) p(property, value)
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't' AND p.value IS NOT NULL
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
