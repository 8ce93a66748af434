-- $1: whether the most common values themselves are wanted; $2: tables with a greater oid than this;
-- $3: so many of them.
WITH extended AS (
    SELECT d.objid
    FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass
      AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
),
tables AS (
    SELECT c.*, n.nspname, pg_partition_root(c.oid) AS root
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
      AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
      AND NOT EXISTS (SELECT FROM extended e WHERE e.objid = c.oid)
      AND c.oid > $2::oid
    ORDER BY c.oid
    LIMIT $3::bigint
),
columns AS (
    SELECT c.oid, json_agg(json_build_object(
        'name', a.attname,
        'type_name', format_type(a.atttypid, a.atttypmod),
        'null_fraction', s.null_frac,
        'distinct', s.n_distinct,
        'width', s.avg_width,
        'correlation', s.correlation,
        'frequencies', coalesce(to_json(s.most_common_freqs), '[]'),
        'bounds', CASE
            -- Both ends of the histogram, of numbers and times alone.
            WHEN s.histogram_bounds IS NOT NULL AND CASE t.typtype
                WHEN 'd' THEN t.typbasetype ELSE t.oid
            END IN (
                'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype,
                'float4'::regtype, 'float8'::regtype, 'date'::regtype,
                'timestamp'::regtype, 'timestamptz'::regtype
            ) THEN (
                SELECT json_build_array(h.bounds[1], h.bounds[cardinality(h.bounds)])
                FROM (SELECT s.histogram_bounds::text::text[]) AS h (bounds)
            )
        END,
        'common', CASE
            WHEN $1::bool AND s.most_common_vals IS NOT NULL
            THEN to_json(s.most_common_vals::text::text[])
            ELSE '[]'
        END
    ) ORDER BY a.attnum) AS of_table
    FROM tables c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    CROSS JOIN LATERAL (
        -- Of a table that others inherit from: its own rows. A partitioned one has only theirs.
        SELECT *
        FROM pg_stats f
        WHERE f.schemaname = c.nspname AND f.tablename = c.relname AND f.attname = a.attname
        ORDER BY f.inherited
        LIMIT 1
    ) AS s
    GROUP BY c.oid
)
SELECT json_build_object(
    'database', current_database(),
    'role', current_user,
    'read_at', to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
    'last', (SELECT max(c.oid)::bigint FROM tables c),
    'tables', (
        SELECT coalesce(json_agg(json_build_object(
            'schema', c.nspname,
            'name', c.relname,
            'partitioned', c.relkind = 'p',
            'root', CASE WHEN c.relispartition THEN (
                SELECT json_build_array(n.nspname, r.relname)
                FROM pg_class r
                JOIN pg_namespace n ON n.oid = r.relnamespace
                WHERE r.oid = c.root
            ) END,
            'tuples', CASE WHEN c.reltuples >= 0 THEN c.reltuples END,
            'pages', c.relpages,
            'readable', has_any_column_privilege(c.oid, 'SELECT'),
            'analysed', to_char(
                greatest(u.last_analyze, u.last_autoanalyze) AT TIME ZONE 'UTC',
                'YYYY-MM-DD HH24:MI'
            ),
            'activity', CASE WHEN u.relid IS NOT NULL THEN json_build_object(
                'scans', coalesce(u.seq_scan, 0) + coalesce(u.idx_scan, 0),
                'inserts', coalesce(u.n_tup_ins, 0),
                'updates', coalesce(u.n_tup_upd, 0),
                'deletes', coalesce(u.n_tup_del, 0)
            ) END,
            'columns', coalesce(k.of_table, '[]')
        ) ORDER BY c.nspname, c.relname), '[]')
        FROM tables c
        LEFT JOIN pg_stat_user_tables u ON u.relid = c.oid
        LEFT JOIN columns k ON k.oid = c.oid
    )
)::text
