-- Rules that a user created; the one that makes a view a view is the view's definition.
SELECT 'rule', format('%I.%I.%I', n.nspname, c.relname, r.rulename), p.property, p.value
FROM pg_rewrite r
JOIN pg_class c ON c.oid = r.ev_class
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (VALUES
  ('definition', pg_get_ruledef(r.oid)),
  ('enabled', CASE r.ev_enabled WHEN 'O' THEN 'origin' WHEN 'D' THEN 'disabled'
                                WHEN 'R' THEN 'replica' ELSE 'always' END),
  ('comment', obj_description(r.oid, 'pg_rewrite'))
) p(property, value)
WHERE r.rulename <> '_RETURN' AND c.relpersistence <> 't' AND p.value IS NOT NULL
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
