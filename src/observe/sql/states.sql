-- Tables of users, partitioned ones included: name as in the fingerprint, oid, file, root, rows as
-- the planner estimates them (1 where it does not know and the file is not empty), rows written,
-- columns and their places, bytes without indexes, sequences of its columns.
SELECT format('%I.%I', n.nspname, c.relname), c.oid, coalesce(pg_relation_filenode(c.oid), 0::oid),
       CASE WHEN c.relkind = 'p' OR c.relispartition THEN format('%I.%I', m.nspname, r.relname) END,
       CASE WHEN c.relkind = 'p' THEN 0
            WHEN c.reltuples > 0 THEN c.reltuples::int8
            WHEN pg_relation_size(c.oid) > 0 THEN 1 ELSE 0 END::int8,
       (coalesce(pg_stat_get_tuples_inserted(c.oid), 0)
        + coalesce(pg_stat_get_tuples_updated(c.oid), 0)
        + coalesce(pg_stat_get_tuples_deleted(c.oid), 0))::int8,
       a.names, a.places, coalesce(pg_table_size(c.oid), 0), s.oids, s.names
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class r ON r.oid = coalesce(pg_partition_root(c.oid), c.oid)
JOIN pg_namespace m ON m.oid = r.relnamespace
CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(x.attname::text), '{}') AS names,
         coalesce(array_agg(x.attnum), '{}') AS places
  FROM pg_attribute x WHERE x.attrelid = c.oid AND x.attnum > 0 AND NOT x.attisdropped
) a
CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(q.oid), '{}') AS oids,
         coalesce(array_agg(format('%I.%I', w.nspname, q.relname)), '{}') AS names
  FROM (
    SELECT p.objid FROM pg_depend p
    WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass
      AND p.refobjid = c.oid AND p.refobjsubid > 0 AND p.deptype IN ('a', 'i')
    UNION
    SELECT p.refobjid FROM pg_attrdef d
    JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
                    AND p.refclassid = 'pg_class'::regclass
    WHERE d.adrelid = c.oid
  ) of (oid)
  JOIN pg_class q ON q.oid = of.oid AND q.relkind = 'S'
  JOIN pg_namespace w ON w.oid = q.relnamespace
) s
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
