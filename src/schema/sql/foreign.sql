-- Foreign data wrappers and servers. User mappings are left out: their options hold passwords.
SELECT o.kind, o.name, p.property, p.value
FROM (
  SELECT 'foreign data wrapper', format('%I', w.fdwname), 'pg_foreign_data_wrapper'::regclass,
         w.oid, NULL, NULL, NULL, CASE WHEN w.fdwhandler <> 0 THEN w.fdwhandler::regproc::text END,
         CASE WHEN w.fdwvalidator <> 0 THEN w.fdwvalidator::regproc::text END, w.fdwoptions
  FROM pg_foreign_data_wrapper w
  UNION ALL
  SELECT 'foreign server', format('%I', s.srvname), 'pg_foreign_server'::regclass,
         s.oid, quote_ident(w.fdwname), s.srvtype, s.srvversion, NULL, NULL, s.srvoptions
  FROM pg_foreign_server s
  JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
) o(kind, name, class, oid, wrapper, type, version, handler, validator, options)
CROSS JOIN LATERAL (VALUES
  ('exists', 'true'),
  ('wrapper', o.wrapper),
  ('type', o.type),
  ('version', o.version),
  ('handler', o.handler),
  ('validator', o.validator),
  -- What an option of such a name says is not ours to read.
  ('options', (SELECT string_agg(x.told, ', ' ORDER BY x.told) FROM (
     SELECT regexp_replace(u.set, '^([^=]*(password|secret|key|token)[^=]*)=.*$', '\1=…', 'i')
     FROM unnest(o.options) u(set)) x(told))),
  ('comment', obj_description(o.oid, o.class::text::name))
) p(property, value)
WHERE p.value IS NOT NULL
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.class
                  AND d.objid = o.oid AND d.deptype = 'e')
