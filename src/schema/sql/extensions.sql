-- Extensions; their members are not listed.
SELECT 'extension', format('%I', x.extname), p.property, p.value
FROM pg_extension x
JOIN pg_namespace n ON n.oid = x.extnamespace
CROSS JOIN LATERAL (VALUES
  ('version', x.extversion),
  ('schema', quote_ident(n.nspname)),
  ('comment', obj_description(x.oid, 'pg_extension'))
) p(property, value)
WHERE p.value IS NOT NULL
