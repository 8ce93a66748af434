-- Which tables a write to a table reaches besides: (table, table that is reached). Foreign keys that
-- cascade, and triggers whose function names a table or does what its text does not show; null:
-- any table. Functions of users are there as `function NAME`. Of a foreign key: what it does ON
-- DELETE and ON UPDATE, the columns that are referred to, and those that refer to them. At the end
-- whether it is the written row itself that becomes another one.
WITH tables AS (
  SELECT c.oid, c.relname, format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
), functions AS (
  SELECT p.oid, p.proname, p.prosrc,
         l.lanname NOT IN ('sql', 'plpgsql') OR p.prosrc ~* '\mexecute\M' AS hidden
  FROM pg_proc p
  JOIN pg_language l ON l.oid = p.prolang
  JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                    AND d.objid = p.oid AND d.deptype = 'e')
)
SELECT t.name, r.name, k.confdeltype::text, k.confupdtype::text,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey)),
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)), false
FROM pg_constraint k
JOIN tables t ON t.oid = k.confrelid
JOIN tables r ON r.oid = k.conrelid
WHERE k.contype = 'f' AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))
UNION
-- By a trigger FOR EACH ROW that fires before it is written (bits 1 and 2).
SELECT t.name, t.name, NULL, NULL, NULL, NULL, true
FROM pg_trigger g JOIN tables t ON t.oid = g.tgrelid
WHERE NOT g.tgisinternal AND g.tgtype & 3 = 3
UNION
SELECT t.name, r.name, NULL, NULL, NULL, NULL, false
FROM pg_trigger g
JOIN tables t ON t.oid = g.tgrelid
JOIN functions f ON f.oid = g.tgfoid
LEFT JOIN tables r ON f.prosrc ~* ('\m' || regexp_replace(r.relname, '\W', '\\\&', 'g') || '\M')
WHERE NOT g.tgisinternal AND (r.oid IS NOT NULL OR f.hidden)
UNION
SELECT t.name, NULL, NULL, NULL, NULL, NULL, false
FROM pg_rewrite w JOIN tables t ON t.oid = w.ev_class
UNION
SELECT 'function ' || f.proname, r.name, NULL, NULL, NULL, NULL, false
FROM functions f
LEFT JOIN tables r ON f.prosrc ~* ('\m' || regexp_replace(r.relname, '\W', '\\\&', 'g') || '\M')
WHERE r.oid IS NOT NULL OR f.hidden
