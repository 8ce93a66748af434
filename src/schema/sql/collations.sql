-- Collations. Their version is the machine's and no part of the schema.
SELECT 'collation', format('%I.%I', n.nspname, l.collname), p.property, p.value
FROM pg_collation l
JOIN pg_namespace n ON n.oid = l.collnamespace
-- The locale's column had another name before 15 and before 17.
CROSS JOIN LATERAL (SELECT to_jsonb(l)) j(row)
CROSS JOIN LATERAL (VALUES
  ('provider', CASE l.collprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu'
                                   WHEN 'b' THEN 'builtin' ELSE l.collprovider::text END),
  ('locale', COALESCE(j.row ->> 'colllocale', j.row ->> 'colliculocale',
                      j.row ->> 'collcollate')),
  ('ctype', NULLIF(j.row ->> 'collctype', j.row ->> 'collcollate')),
  ('rules', j.row ->> 'collicurules'),
  ('deterministic', l.collisdeterministic::text),
  ('comment', obj_description(l.oid, 'pg_collation'))
) p(property, value)
WHERE p.value IS NOT NULL
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_collation'::regclass
                  AND d.objid = l.oid AND d.deptype = 'e')
