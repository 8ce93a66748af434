-- Columns of the table $1: name, type, its category, the place in
-- the primary key, the labels of an enum by their oids, which a RENAME VALUE keeps, whether its value
-- follows from the row's others.
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod),
       CASE WHEN t.typname IN ('json', 'jsonb') THEN 'json'
            WHEN t.typname = 'float4' THEN 'float4'
            WHEN t.typcategory = 'N' AND t.typtype = 'b' THEN 'number'
            WHEN t.typname IN ('timestamp', 'timestamptz', 'date') THEN 'instant'
            ELSE 'text' END,
       array_position(i.indkey::int2[], a.attnum)::int4,
       (SELECT string_agg(e.oid::text || ' ' || e.enumlabel, ', ' ORDER BY e.oid)
        FROM pg_enum e WHERE e.enumtypid = a.atttypid),
       a.attgenerated <> ''
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attname COLLATE "C"
