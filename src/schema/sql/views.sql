-- Views and materialized views.
SELECT format('%I.%I', n.nspname, c.relname), p.property, p.value
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (VALUES
  ('definition', pg_get_viewdef(c.oid)),
  ('materialized', (c.relkind = 'm')::text),
  ('populated', CASE c.relkind WHEN 'm' THEN c.relispopulated::text END),
  ('options', (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(c.reloptions) o))
) p(property, value)
WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND p.value IS NOT NULL
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
