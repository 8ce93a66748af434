-- Enums, domains, ranges and free-standing composite types; constraints of domains are apart.
SELECT 'type', format('%I.%I', n.nspname, t.typname), p.property, p.value
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_range r ON r.rngtypid = t.oid
CROSS JOIN LATERAL (VALUES
  ('kind', CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range'
                          ELSE 'composite' END),
  ('labels', (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
              FROM pg_enum e WHERE e.enumtypid = t.oid)),
  ('base type', CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END),
  ('collation', (SELECT format('%I.%I', m.nspname, l.collname)
                 FROM pg_type b, pg_collation l JOIN pg_namespace m ON m.oid = l.collnamespace
                 WHERE t.typtype = 'd' AND b.oid = t.typbasetype AND l.oid = t.typcollation
                   AND t.typcollation <> b.typcollation)),
  ('not null', CASE t.typtype WHEN 'd' THEN t.typnotnull::text END),
  ('default', CASE t.typtype WHEN 'd' THEN t.typdefault END),
  ('subtype', format_type(r.rngsubtype, NULL)),
  ('subtype collation', (SELECT format('%I.%I', m.nspname, l.collname)
                         FROM pg_collation l JOIN pg_namespace m ON m.oid = l.collnamespace
                         WHERE l.oid = r.rngcollation AND l.collname <> 'default')),
  ('subtype operator class', (SELECT format('%I.%I', m.nspname, o.opcname)
                              FROM pg_opclass o JOIN pg_namespace m ON m.oid = o.opcnamespace
                              WHERE o.oid = r.rngsubopc AND NOT o.opcdefault)),
  ('canonical function', CASE WHEN r.rngcanonical <> 0 THEN r.rngcanonical::text END),
  ('difference function', CASE WHEN r.rngsubdiff <> 0 THEN r.rngsubdiff::text END),
  ('multirange type', r.rngmultitypid::regtype::text),
  ('attributes', (SELECT string_agg(concat_ws(' ', quote_ident(a.attname),
                                              format_type(a.atttypid, a.atttypmod),
                                              'COLLATE ' || l.name), ', ' ORDER BY a.attnum)
                  FROM pg_attribute a
                  JOIN pg_type b ON b.oid = a.atttypid
                  LEFT JOIN (SELECT l.oid, format('%I.%I', m.nspname, l.collname) AS name
                             FROM pg_collation l
                             JOIN pg_namespace m ON m.oid = l.collnamespace) l
                    ON l.oid = a.attcollation AND a.attcollation <> b.typcollation
                  WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0
                    AND NOT a.attisdropped)),
  ('comments of attributes', (SELECT string_agg(format('%I: %L', a.attname, d.description), ', '
                                                ORDER BY a.attnum)
                              FROM pg_attribute a
                              JOIN pg_description d ON d.classoid = 'pg_class'::regclass
                               AND (d.objoid, d.objsubid) = (a.attrelid, a.attnum)
                              WHERE t.typtype = 'c' AND a.attrelid = t.typrelid)),
  ('comment', obj_description(t.oid, 'pg_type'))
) p(property, value)
WHERE (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c')
  AND p.value IS NOT NULL
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass
                  AND d.objid = t.oid AND d.deptype = 'e')
