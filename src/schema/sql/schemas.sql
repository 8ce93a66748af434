-- Schemas. That one exists is a property, so that a schema without any other has an entry.
SELECT 'schema', format('%I', n.nspname), p.property, p.value
FROM pg_namespace n
CROSS JOIN LATERAL (VALUES
  ('exists', 'true'),
  ('comment', obj_description(n.oid, 'pg_namespace'))
) p(property, value)
WHERE p.value IS NOT NULL
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass
                  AND d.objid = n.oid AND d.deptype = 'e')
