-- Owners and privileges, of every kind of object that has them, where they are not what they would
-- be if nothing had been granted. An owner is shown where it is not the database's, so that two
-- databases with other names of their owners compare; among the grantees it is "(owner)". No
-- privileges at all and those that are the default anyway are the same. A star: with grant option.
WITH database AS (
  SELECT datdba AS owner FROM pg_database WHERE datname = current_database()
), relations AS (
  SELECT c.oid, CASE WHEN c.relkind = 'S' THEN 'sequence'
                     WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END AS kind,
         format('%I.%I', n.nspname, c.relname) AS name, c.relowner, c.relacl,
         acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner) AS implicit
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
), objects(class, oid, kind, name, owner, acl, implicit) AS (
  SELECT 'pg_class'::regclass, r.* FROM relations r
  UNION ALL
  SELECT 'pg_namespace'::regclass, n.oid, 'schema', format('%I', n.nspname), n.nspowner, n.nspacl,
         acldefault('n', n.nspowner)
  FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  UNION ALL
  SELECT 'pg_proc'::regclass, f.oid, 'function',
         format('%I.%I(%s)', n.nspname, f.proname, pg_get_function_identity_arguments(f.oid)),
         f.proowner, f.proacl, acldefault('f', f.proowner)
  FROM pg_proc f
  JOIN pg_namespace n ON n.oid = f.pronamespace
  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                    AND d.objid = f.oid AND d.deptype = 'i')
  UNION ALL
  SELECT 'pg_type'::regclass, t.oid, 'type', format('%I.%I', n.nspname, t.typname), t.typowner,
         t.typacl, acldefault('T', t.typowner)
  FROM pg_type t
  JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_class c ON c.oid = t.typrelid
  WHERE (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c')
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  UNION ALL
  SELECT 'pg_foreign_data_wrapper'::regclass, w.oid, 'foreign data wrapper',
         format('%I', w.fdwname), w.fdwowner, w.fdwacl, acldefault('F', w.fdwowner)
  FROM pg_foreign_data_wrapper w
  UNION ALL
  SELECT 'pg_foreign_server'::regclass, s.oid, 'foreign server', format('%I', s.srvname),
         s.srvowner, s.srvacl, acldefault('S', s.srvowner)
  FROM pg_foreign_server s
  UNION ALL
  SELECT 'pg_statistic_ext'::regclass, s.oid, 'statistics', format('%I.%I', n.nspname, s.stxname),
         s.stxowner, NULL, NULL
  FROM pg_statistic_ext s
  JOIN pg_namespace n ON n.oid = s.stxnamespace
  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  UNION ALL
  SELECT 'pg_collation'::regclass, l.oid, 'collation', format('%I.%I', n.nspname, l.collname),
         l.collowner, NULL, NULL
  FROM pg_collation l
  JOIN pg_namespace n ON n.oid = l.collnamespace
  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  UNION ALL
  SELECT 'pg_publication'::regclass, b.oid, 'publication', format('%I', b.pubname), b.pubowner,
         NULL, NULL
  FROM pg_publication b
  UNION ALL
  SELECT 'pg_event_trigger'::regclass, g.oid, 'event trigger', format('%I', g.evtname),
         g.evtowner, NULL, NULL
  FROM pg_event_trigger g
), ours AS (
  SELECT o.* FROM objects o
  WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.class
                    AND d.objid = o.oid AND d.deptype = 'e')
), granted(kind, name, owner, acl, implicit) AS (
  SELECT o.kind, o.name, o.owner, o.acl, o.implicit FROM ours o WHERE o.acl IS NOT NULL
  UNION ALL
  SELECT 'column', format('%s.%I', o.name, a.attname), o.owner, a.attacl, NULL
  FROM ours o
  JOIN pg_attribute a ON a.attrelid = o.oid AND NOT a.attisdropped
  WHERE o.class = 'pg_class'::regclass AND a.attacl IS NOT NULL
  UNION ALL
  -- Those of a schema are added to those of the database; these take the place of the server's.
  SELECT 'default privileges',
         concat_ws(' ', 'of', CASE WHEN x.defaclrole = database.owner THEN '(owner)'
                                   ELSE x.defaclrole::regrole::text END, 'on',
                   CASE x.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
                     WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas'
                     WHEN 'L' THEN 'large objects' ELSE x.defaclobjtype::text END, 'in ' || quote_ident(n.nspname)),
         x.defaclrole, x.defaclacl,
         CASE x.defaclnamespace WHEN 0 THEN acldefault(
           CASE x.defaclobjtype WHEN 'S' THEN 's' ELSE x.defaclobjtype END::"char",
           x.defaclrole) END
  FROM database, pg_default_acl x
  LEFT JOIN pg_namespace n ON n.oid = x.defaclnamespace
), grants AS (
  SELECT g.kind, g.name, e.is_set, who.name AS grantee,
         concat(e.privilege_type, CASE WHEN e.is_grantable THEN '*' END,
                CASE WHEN e.grantor <> g.owner THEN ' by ' || e.grantor::regrole END) AS told
  FROM granted g
  CROSS JOIN LATERAL (SELECT true AS is_set, * FROM aclexplode(g.acl)
                      UNION ALL SELECT false, * FROM aclexplode(g.implicit)) e
  CROSS JOIN LATERAL (SELECT CASE e.grantee WHEN 0 THEN 'PUBLIC' WHEN g.owner THEN '(owner)'
                             ELSE e.grantee::regrole::text END) who(name)
), by_grantee AS (
  SELECT kind, name, grantee,
         string_agg(told, ', ' ORDER BY told) FILTER (WHERE is_set) AS granted,
         string_agg(told, ', ' ORDER BY told) FILTER (WHERE NOT is_set) AS implicit
  FROM grants GROUP BY kind, name, grantee
)
SELECT kind, name, format('granted to %s', grantee), COALESCE(granted, 'nothing')
FROM by_grantee
WHERE granted IS DISTINCT FROM implicit
UNION ALL
SELECT o.kind, o.name, 'owner', o.owner::regrole::text
FROM ours o, database
WHERE o.owner <> database.owner AND o.owner::regrole::text <> 'pg_database_owner'
