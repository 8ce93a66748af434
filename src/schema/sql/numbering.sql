-- Of the table $1, qualified: columns that a sequence numbers, the sequence, and the column's numbers
-- as an expression. Of a default that names its sequence as text there is no dependency.
WITH columns AS (
  SELECT a.attrelid, a.attnum, quote_ident(a.attname) AS name, t.typcategory,
         pg_get_expr(d.adbin, d.adrelid) AS "default", d.oid AS default_oid
  FROM pg_attribute a
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = ''
  WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
    AND t.typcategory IN ('N', 'S')
), numbering AS (
  SELECT c.name, c.typcategory, p.objid AS sequence
  FROM columns c
  JOIN pg_depend p ON p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass
   AND p.refobjid = c.attrelid AND p.refobjsubid = c.attnum AND p.deptype IN ('a', 'i')
  UNION
  SELECT c.name, c.typcategory, p.refobjid
  FROM columns c
  JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = c.default_oid
   AND p.refclassid = 'pg_class'::regclass
  UNION
  SELECT c.name, c.typcategory,
         to_regclass(substring(c."default" FROM $$nextval\(\(?'([^']+)'::text$$))::oid
  FROM columns c
)
SELECT DISTINCT u.name, format('%I.%I', n.nspname, s.relname),
       CASE u.typcategory WHEN 'N' THEN u.name || '::numeric'
         ELSE format('CASE WHEN %1$s ~ ''^[0-9]{1,18}$'' THEN %1$s::numeric END', u.name) END
FROM numbering u
JOIN pg_class s ON s.oid = u.sequence AND s.relkind = 'S'
JOIN pg_namespace n ON n.oid = s.relnamespace
ORDER BY 1, 2, 3
