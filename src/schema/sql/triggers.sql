-- Triggers that a user created; those that enforce a constraint belong to it.
SELECT 'trigger', format('%I.%I.%I', n.nspname, c.relname, g.tgname), p.property, p.value
FROM pg_trigger g
JOIN pg_class c ON c.oid = g.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_constraint k ON k.oid = g.tgconstraint
CROSS JOIN LATERAL (VALUES
  ('definition', pg_get_triggerdef(g.oid)),
  ('enabled', CASE g.tgenabled WHEN 'O' THEN 'origin' WHEN 'D' THEN 'disabled'
                               WHEN 'R' THEN 'replica' ELSE 'always' END),
  -- A partition's copy of its parent's.
  ('inherited', CASE WHEN g.tgparentid <> 0 THEN 'true' END),
  ('comment', obj_description(g.oid, 'pg_trigger'))
) p(property, value)
-- Not tgisinternal: 14 has it set on a partition's copy, later ones have not.
WHERE (g.tgconstraint = 0 OR k.contype = 't')
  AND c.relpersistence <> 't' AND p.value IS NOT NULL
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
