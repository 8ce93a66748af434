-- Event triggers.
SELECT 'event trigger', format('%I', g.evtname), p.property, p.value
FROM pg_event_trigger g
CROSS JOIN LATERAL (VALUES
  ('event', g.evtevent::text),
  ('function', g.evtfoid::regprocedure::text),
  ('tags', (SELECT string_agg(t, ', ' ORDER BY t) FROM unnest(g.evttags) t)),
  ('enabled', CASE g.evtenabled WHEN 'O' THEN 'origin' WHEN 'D' THEN 'disabled'
                                WHEN 'R' THEN 'replica' ELSE 'always' END),
  ('comment', obj_description(g.oid, 'pg_event_trigger'))
) p(property, value)
WHERE p.value IS NOT NULL
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_event_trigger'::regclass
                  AND d.objid = g.oid AND d.deptype = 'e')
