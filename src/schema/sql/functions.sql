-- Functions, procedures and aggregates, told apart by the types of their arguments.
SELECT format('%I.%I(%s)', n.nspname, f.proname,
              pg_catalog.pg_get_function_identity_arguments(f.oid)), p.property, p.value
FROM pg_proc f
JOIN pg_namespace n ON n.oid = f.pronamespace
LEFT JOIN pg_aggregate g ON g.aggfnoid = f.oid
CROSS JOIN LATERAL (VALUES
  ('definition', CASE WHEN f.prokind = 'a' THEN
     format('CREATE AGGREGATE (SFUNC = %s, STYPE = %s, FINALFUNC = %s, COMBINEFUNC = %s, '
            'INITCOND = %L, SORTOP = %s)', g.aggtransfn, format_type(g.aggtranstype, NULL),
            g.aggfinalfn, g.aggcombinefn, g.agginitval, g.aggsortop::regoperator)
     ELSE pg_get_functiondef(f.oid) END)
) p(property, value)
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  -- The constructors of a range type are part of the type.
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                  AND d.objid = f.oid AND d.deptype IN ('e', 'i'))
