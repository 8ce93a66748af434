-- Publications and the tables that they name.
SELECT 'publication', format('%I', b.pubname), p.property, p.value
FROM pg_publication b
CROSS JOIN LATERAL (VALUES
  ('operations', concat_ws(', ', CASE WHEN b.pubinsert THEN 'insert' END,
                           CASE WHEN b.pubupdate THEN 'update' END,
                           CASE WHEN b.pubdelete THEN 'delete' END,
                           CASE WHEN b.pubtruncate THEN 'truncate' END)),
  ('all tables', b.puballtables::text),
  ('via partition root', b.pubviaroot::text),
  -- A column of 18.
  ('generated columns', CASE to_jsonb(b) ->> 'pubgencols' WHEN 's' THEN 'stored' END),
  ('comment', obj_description(b.oid, 'pg_publication'))
) p(property, value)
WHERE p.value IS NOT NULL
UNION ALL
SELECT 'publication', format('%I', b.pubname), format('table %s', r.prrelid::regclass), 'true'
FROM pg_publication_rel r
JOIN pg_publication b ON b.oid = r.prpubid
