-- What 15 brought to publications: row filters, columns, whole schemas.
SELECT 'publication', format('%I', b.pubname), p.property, p.value
FROM pg_publication_rel r
JOIN pg_publication b ON b.oid = r.prpubid
CROSS JOIN LATERAL (VALUES
  (format('rows of %s', r.prrelid::regclass), pg_get_expr(r.prqual, r.prrelid)),
  (format('columns of %s', r.prrelid::regclass),
   (SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum)
    FROM pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)))
) p(property, value)
WHERE p.value IS NOT NULL
UNION ALL
SELECT 'publication', format('%I', b.pubname), format('schema %I', n.nspname), 'true'
FROM pg_publication_namespace s
JOIN pg_publication b ON b.oid = s.pnpubid
JOIN pg_namespace n ON n.oid = s.pnnspid
