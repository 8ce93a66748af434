-- Tables of users that hold rows themselves: name as in the fingerprint, oid, name and oid of the
-- partitioned table that they are part of, columns by name.
SELECT format('%I.%I', n.nspname, c.relname), c.oid, format('%I.%I', m.nspname, r.relname), r.oid,
       (SELECT array_agg(format('%I', a.attname) ORDER BY a.attname COLLATE "C")
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
-- A table that is no partition has no root.
JOIN pg_class r ON r.oid = coalesce(pg_partition_root(c.oid), c.oid)
JOIN pg_namespace m ON m.oid = r.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
