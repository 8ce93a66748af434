-- Constraints of tables and of domains. Only convalidated shows NOT VALID.
SELECT 'constraint', format('%I.%I.%I', n.nspname, COALESCE(c.relname, t.typname), k.conname),
       p.property, p.value
FROM pg_constraint k
LEFT JOIN pg_class c ON c.oid = k.conrelid
LEFT JOIN pg_type t ON t.oid = k.contypid
JOIN pg_namespace n ON n.oid = COALESCE(c.relnamespace, t.typnamespace)
LEFT JOIN pg_constraint parent ON parent.oid = k.conparentid AND k.conparentid <> 0
LEFT JOIN pg_description d
  ON d.classoid = 'pg_constraint'::regclass AND d.objoid = k.oid
CROSS JOIN LATERAL (VALUES
  ('definition', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '')),
  ('convalidated', k.convalidated::text),
  -- A column of 18.
  ('enforced', NULLIF(to_jsonb(k) ->> 'conenforced', 'true')),
  ('inherited', CASE WHEN k.coninhcount > 0 AND k.conislocal THEN 'true, and declared here'
                     WHEN k.coninhcount > 0 THEN 'true' END),
  -- ALTER TABLE … DISABLE TRIGGER ALL: a foreign key that checks nothing and looks as ever.
  ('disabled triggers', (SELECT string_agg(format('%s on %s: %s', g.tgfoid::regproc,
                                                  g.tgrelid::regclass, g.tgenabled), ', '
                                           ORDER BY g.tgfoid::regproc::text,
                                                    g.tgrelid::regclass::text)
                         FROM pg_trigger g
                         WHERE g.tgconstraint = k.oid AND g.tgenabled <> 'O')),
  ('comment', d.description)
) p(property, value)
-- Constraint triggers have a row here and are triggers. A foreign key to a partitioned table has
-- further rows, one per partition, whose names depend on the order of creation.
WHERE k.contype <> 't' AND c.relpersistence IS DISTINCT FROM 't' AND p.value IS NOT NULL
  AND (parent.oid IS NULL
       OR parent.conrelid <> k.conrelid AND parent.confrelid = k.confrelid)
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.deptype = 'e'
                  AND (d.classid, d.objid) IN (('pg_class'::regclass, k.conrelid),
                                               ('pg_type'::regclass, k.contypid)))
