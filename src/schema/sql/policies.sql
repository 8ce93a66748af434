-- Policies of row level security.
SELECT 'policy', format('%I.%I.%I', n.nspname, c.relname, y.polname), p.property, p.value
FROM pg_policy y
JOIN pg_class c ON c.oid = y.polrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (VALUES
  ('command', CASE y.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update'
                            WHEN 'd' THEN 'delete' ELSE 'all' END),
  ('permissive', y.polpermissive::text),
  ('roles', (SELECT string_agg(name, ', ' ORDER BY name)
             FROM unnest(y.polroles) r(role)
             CROSS JOIN LATERAL (SELECT CASE r.role WHEN 0 THEN 'PUBLIC'
                                        ELSE r.role::regrole::text END) named(name))),
  ('using', pg_get_expr(y.polqual, y.polrelid)),
  ('check', pg_get_expr(y.polwithcheck, y.polrelid)),
  ('comment', obj_description(y.oid, 'pg_policy'))
) p(property, value)
WHERE c.relpersistence <> 't' AND p.value IS NOT NULL
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
