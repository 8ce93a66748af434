-- Foreign keys that claim to be valid: name, table, ONLY where it has no partitions, table that it
-- refers to, the condition under which a row c refers to a row p, and under which to any.
SELECT k.conname::text, format('%I.%I', n.nspname, c.relname),
       CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, format('%I.%I', m.nspname, p.relname),
       (SELECT string_agg(format('p.%I = c.%I', b.attname, a.attname), ' AND ' ORDER BY u.ord)
        FROM unnest(k.conkey, k.confkey) WITH ORDINALITY u(own, other, ord)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.own
        JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = u.other),
       (SELECT string_agg(format('c.%I IS NOT NULL', a.attname), ' AND ' ORDER BY u.ord)
        FROM unnest(k.conkey) WITH ORDINALITY u(own, ord)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.own)
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class p ON p.oid = k.confrelid
JOIN pg_namespace m ON m.oid = p.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.convalidated
  -- Columns of 18: NOT ENFORCED, PERIOD.
  AND coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true'
  AND coalesce(to_jsonb(k) ->> 'conperiod', 'false') = 'false'
ORDER BY 2, 1
