WITH RECURSIVE users AS (
    SELECT oid, nspname
    FROM pg_namespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
),
extended AS (
    SELECT d.classid, d.objid, e.extname
    FROM pg_depend d
    JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
),
tables AS (
    SELECT c.*, u.nspname
    FROM pg_class c
    JOIN users u ON u.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f') AND NOT EXISTS (
        SELECT FROM extended e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
    )
),
columns AS (
    SELECT a.*
    FROM pg_attribute a
    JOIN tables c ON c.oid = a.attrelid
    WHERE a.attnum > 0 AND NOT a.attisdropped
),
-- Types of columns, and what those are made of.
parts (whole, part) AS (
    SELECT oid, typelem FROM pg_type WHERE typsubscript = 'array_subscript_handler'::regproc
    UNION ALL
    SELECT oid, typbasetype FROM pg_type WHERE typtype = 'd'
    UNION ALL
    SELECT rngtypid, rngsubtype FROM pg_range
    UNION ALL
    SELECT rngmultitypid, rngtypid FROM pg_range
    UNION ALL
    SELECT t.oid, a.atttypid
    FROM pg_type t
    JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE t.typtype = 'c'
),
used (oid) AS (
    SELECT atttypid FROM columns
    UNION
    SELECT p.part FROM used u JOIN parts p ON p.whole = u.oid
)
SELECT json_build_object(
    'version_num', current_setting('server_version_num')::int,
    'tables', (
        SELECT coalesce(json_agg(json_build_object(
            'oid', c.oid::bigint,
            'schema', c.nspname,
            'name', c.relname,
            'partitioned', c.relkind = 'p',
            'foreign', c.relkind = 'f',
            'partition_key', pg_get_partkeydef(c.oid),
            'bound', pg_get_expr(c.relpartbound, c.oid),
            'admits', CASE WHEN c.relispartition THEN pg_get_partition_constraintdef(c.oid) END,
            'parents', (
                SELECT coalesce(json_agg(i.inhparent::bigint ORDER BY i.inhseqno), '[]')
                FROM pg_inherits i
                WHERE i.inhrelid = c.oid
            ),
            'row_security', c.relrowsecurity,
            'policies', (
                SELECT coalesce(json_agg(json_build_object(
                    'name', y.polname,
                    'permissive', y.polpermissive,
                    'roles', (
                        SELECT coalesce(json_agg(r.rolname ORDER BY r.rolname), '[]')
                        FROM pg_roles r
                        WHERE r.oid = ANY (y.polroles)
                    ),
                    'using', pg_get_expr(y.polqual, y.polrelid),
                    'check', pg_get_expr(y.polwithcheck, y.polrelid)
                ) ORDER BY y.polname), '[]')
                FROM pg_policy y
                WHERE y.polrelid = c.oid
            ),
            'columns', (
                SELECT coalesce(json_agg(json_build_object(
                    'number', a.attnum,
                    'name', a.attname,
                    'type_oid', a.atttypid::bigint,
                    'type_modifier', a.atttypmod,
                    'type_name', format_type(a.atttypid, a.atttypmod),
                    'not_null', a.attnotnull,
                    'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
                    'numbered', a.attidentity <> '' OR coalesce(
                        a.attgenerated = '' AND pg_get_expr(d.adbin, d.adrelid) ~ 'nextval\(', false
                    ),
                    'identity_always', a.attidentity = 'a',
                    'generated', a.attgenerated <> '',
                    'generated_as', CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END
                ) ORDER BY a.attnum), '[]')
                FROM columns a
                LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE a.attrelid = c.oid
            ),
            'constraints', (
                SELECT coalesce(json_agg(json_build_object(
                    'name', k.conname,
                    'kind', k.contype,
                    'columns', coalesce(to_json(k.conkey), '[]'),
                    'expression', CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid) END,
                    'definition', pg_get_constraintdef(k.oid),
                    'validated', k.convalidated,
                    'deferrable', k.condeferrable,
                    'refers', CASE WHEN k.contype = 'f' THEN json_build_object(
                        'table', k.confrelid::bigint,
                        'columns', k.confkey,
                        'match_full', k.confmatchtype = 'f',
                        'cascades', k.confdeltype IN ('c', 'n', 'd')
                    ) END,
                    'index', nullif(k.conindid, 0)::bigint,
                    'operators', (
                        SELECT coalesce(json_agg(o.oprname ORDER BY n), '[]')
                        FROM unnest(k.conexclop) WITH ORDINALITY AS e (oid, n)
                        JOIN pg_operator o ON o.oid = e.oid
                    )
                ) ORDER BY k.conname), '[]')
                FROM pg_constraint k
                WHERE k.conrelid = c.oid AND NOT EXISTS (
                    -- What a foreign key to a partitioned table keeps for each partition.
                    SELECT FROM pg_constraint whole
                    WHERE whole.oid = k.conparentid AND whole.conrelid = k.conrelid
                )
            ),
            'indexes', (
                SELECT coalesce(json_agg(json_build_object(
                    'oid', x.indexrelid::bigint,
                    'name', i.relname,
                    'method', m.amname,
                    'unique', x.indisunique,
                    'valid', x.indisvalid,
                    'nulls_not_distinct', coalesce((to_json(x) ->> 'indnullsnotdistinct')::bool, false),
                    'columns', (
                        SELECT json_agg(key ORDER BY n)
                        FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS keys (key, n)
                        WHERE n <= x.indnkeyatts
                    ),
                    'definitions', (
                        SELECT json_agg(pg_get_indexdef(x.indexrelid, n, true) ORDER BY n)
                        FROM generate_series(1, x.indnkeyatts) AS n
                    ),
                    'predicate', pg_get_expr(x.indpred, x.indrelid)
                ) ORDER BY i.relname), '[]')
                FROM pg_index x
                JOIN pg_class i ON i.oid = x.indexrelid
                JOIN pg_am m ON m.oid = i.relam
                WHERE x.indrelid = c.oid
            ),
            'triggers', (
                SELECT coalesce(json_agg(json_build_object(
                    'name', g.tgname,
                    'function', p.proname,
                    'arguments', string_to_array(encode(g.tgargs, 'escape'), '\000')
                ) ORDER BY g.tgname), '[]')
                FROM pg_trigger g
                JOIN pg_proc p ON p.oid = g.tgfoid
                WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D'
            )
        ) ORDER BY c.nspname, c.relname), '[]')
        FROM tables c
    ),
    'types', (
        SELECT coalesce(json_agg(json_build_object(
            'oid', t.oid::bigint,
            'schema', n.nspname,
            'name', t.typname,
            'shown', format_type(t.oid, NULL),
            'kind', t.typtype,
            'category', t.typcategory,
            'binary', t.typsend::oid <> 0 AND t.typreceive::oid <> 0,
            'element', CASE
                WHEN t.typsubscript = 'array_subscript_handler'::regproc THEN t.typelem::bigint
            END,
            'base', CASE t.typtype
                WHEN 'd' THEN t.typbasetype::bigint
                ELSE (SELECT p.part::bigint FROM parts p WHERE p.whole = t.oid AND t.typtype IN ('r', 'm'))
            END,
            'type_modifier', t.typtypmod,
            'not_null', t.typnotnull,
            'labels', (
                SELECT coalesce(json_agg(e.enumlabel ORDER BY e.enumsortorder), '[]')
                FROM pg_enum e
                WHERE e.enumtypid = t.oid
            ),
            'attributes', (
                SELECT coalesce(json_agg(json_build_object(
                    'name', a.attname,
                    'type_oid', a.atttypid::bigint,
                    'type_modifier', a.atttypmod
                ) ORDER BY a.attnum), '[]')
                FROM pg_attribute a
                WHERE t.typtype = 'c' AND a.attrelid = t.typrelid
                  AND a.attnum > 0 AND NOT a.attisdropped
            ),
            'checks', (
                SELECT coalesce(json_object_agg(k.conname, pg_get_expr(k.conbin, 0)), '{}')
                FROM pg_constraint k
                WHERE k.contypid = t.oid AND k.contype = 'c'
            ),
            'extension', (
                SELECT e.extname
                FROM extended e
                WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid
            )
        ) ORDER BY t.oid), '[]')
        FROM used u
        JOIN pg_type t ON t.oid = u.oid
        JOIN pg_namespace n ON n.oid = t.typnamespace
    ),
    'functions', (
        SELECT coalesce(json_agg(json_build_object(
            'name', p.proname,
            'source', CASE WHEN l.lanname IN ('sql', 'plpgsql') THEN
                coalesce(nullif(p.prosrc, ''), pg_get_functiondef(p.oid))
            END
        ) ORDER BY p.proname, p.oid), '[]')
        FROM pg_proc p
        JOIN users u ON u.oid = p.pronamespace
        JOIN pg_language l ON l.oid = p.prolang
        WHERE p.prokind IN ('f', 'p') AND NOT EXISTS (
            SELECT FROM extended e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid
        )
    ),
    'reserved', (
        SELECT json_agg(k.word ORDER BY k.word)
        FROM pg_get_keywords() k
        WHERE k.catcode <> 'U'
    )
)::text
