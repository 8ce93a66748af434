-- Constraints of tables and of domains. NOT VALID is told by convalidated alone.
SELECT format('%I.%I.%I', n.nspname, COALESCE(c.relname, t.typname), k.conname),
       p.property, p.value
FROM pg_constraint k
LEFT JOIN pg_class c ON c.oid = k.conrelid
LEFT JOIN pg_type t ON t.oid = k.contypid
JOIN pg_namespace n ON n.oid = COALESCE(c.relnamespace, t.typnamespace)
CROSS JOIN LATERAL (VALUES
  ('definition', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '')),
  ('convalidated', k.convalidated::text)
) p(property, value)
-- Constraint triggers have a row here and are triggers.
WHERE k.contype <> 't' AND c.relpersistence IS DISTINCT FROM 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.deptype = 'e'
                  AND (d.classid, d.objid) IN (('pg_class'::regclass, k.conrelid),
                                               ('pg_type'::regclass, k.contypid)))
