-- Triggers that somebody created; those that enforce foreign keys belong to the constraint.
SELECT format('%I.%I.%I', n.nspname, c.relname, g.tgname), p.property, p.value
FROM pg_trigger g
JOIN pg_class c ON c.oid = g.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (VALUES
  ('definition', pg_get_triggerdef(g.oid)),
  ('enabled', CASE g.tgenabled WHEN 'O' THEN 'origin' WHEN 'D' THEN 'disabled'
                               WHEN 'R' THEN 'replica' ELSE 'always' END)
) p(property, value)
WHERE NOT g.tgisinternal AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
