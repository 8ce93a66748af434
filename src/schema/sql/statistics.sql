-- What CREATE STATISTICS made, not what ANALYZE put there.
SELECT 'statistics', format('%I.%I', n.nspname, s.stxname), p.property, p.value
FROM pg_statistic_ext s
JOIN pg_namespace n ON n.oid = s.stxnamespace
CROSS JOIN LATERAL (VALUES
  ('definition', pg_get_statisticsobjdef(s.oid)),
  -- No target of its own is -1 before 17 and null since.
  ('statistics target', CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget::text END),
  ('comment', obj_description(s.oid, 'pg_statistic_ext'))
) p(property, value)
WHERE p.value IS NOT NULL
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.deptype = 'e'
                  AND (d.classid, d.objid) IN (('pg_statistic_ext'::regclass, s.oid),
                                               ('pg_class'::regclass, s.stxrelid)))
