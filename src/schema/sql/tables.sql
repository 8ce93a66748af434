-- Ordinary, partitioned and foreign tables, without their columns.
SELECT 'table', format('%I.%I', n.nspname, c.relname), p.property, p.value
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid
LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
LEFT JOIN pg_am m ON m.oid = c.relam
LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid
LEFT JOIN pg_foreign_server v ON v.oid = f.ftserver
LEFT JOIN pg_description d
  ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
CROSS JOIN LATERAL (VALUES
  ('kind', CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table'
                          ELSE 'foreign table' END),
  ('persistence', CASE c.relpersistence WHEN 'p' THEN 'permanent' ELSE 'unlogged' END),
  ('partition key', pg_get_partkeydef(c.oid)),
  ('partition bound', pg_get_expr(c.relpartbound, c.oid)),
  -- In the order in which they were named: columns are merged in that order.
  ('inherits', (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
                FROM pg_inherits i WHERE i.inhrelid = c.oid)),
  ('detach pending', (SELECT 'true' FROM pg_inherits i
                      WHERE i.inhrelid = c.oid AND i.inhdetachpending)),
  ('of type', CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END),
  ('options', (SELECT string_agg(o, ', ' ORDER BY o)
               FROM (SELECT unnest(c.reloptions)
                     UNION ALL SELECT 'toast.' || unnest(toast.reloptions)) u(o))),
  ('access method', NULLIF(m.amname, 'heap')),
  ('tablespace', s.spcname),
  ('server', quote_ident(v.srvname)),
  ('foreign options', (SELECT string_agg(x.told, ', ' ORDER BY x.told) FROM (
     SELECT regexp_replace(u.set, '^([^=]*(password|secret|key|token)[^=]*)=.*$', '\1=…', 'i')
     FROM unnest(f.ftoptions) u(set)) x(told))),
  ('row level security', c.relrowsecurity::text),
  ('force row level security', c.relforcerowsecurity::text),
  ('replica identity', CASE c.relreplident WHEN 'd' THEN 'default' WHEN 'n' THEN 'nothing'
     WHEN 'f' THEN 'full' ELSE COALESCE((SELECT format('index %s', i.indexrelid::regclass)
                                         FROM pg_index i
                                         WHERE i.indrelid = c.oid AND i.indisreplident),
                                        'an index that is gone') END),
  ('comment', d.description)
) p(property, value)
WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't' AND p.value IS NOT NULL
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
