-- Views and materialized views.
SELECT 'view', format('%I.%I', n.nspname, c.relname), p.property, p.value
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid
LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
LEFT JOIN pg_am m ON m.oid = c.relam
CROSS JOIN LATERAL (VALUES
  ('definition', pg_get_viewdef(c.oid)),
  ('materialized', (c.relkind = 'm')::text),
  ('populated', CASE c.relkind WHEN 'm' THEN c.relispopulated::text END),
  ('options', (SELECT string_agg(o, ', ' ORDER BY o)
               FROM (SELECT unnest(c.reloptions)
                     UNION ALL SELECT 'toast.' || unnest(toast.reloptions)) u(o))),
  ('access method', NULLIF(m.amname, 'heap')),
  ('tablespace', s.spcname),
  ('comment', obj_description(c.oid, 'pg_class'))
) p(property, value)
WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND p.value IS NOT NULL
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
