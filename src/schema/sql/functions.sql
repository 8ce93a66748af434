-- Functions, procedures and aggregates, distinguished by the types of their arguments.
SELECT 'function', format('%I.%I(%s)', n.nspname, f.proname,
                          pg_catalog.pg_get_function_identity_arguments(f.oid)),
       p.property, p.value
FROM pg_proc f
JOIN pg_namespace n ON n.oid = f.pronamespace
LEFT JOIN pg_aggregate g ON g.aggfnoid = f.oid
CROSS JOIN LATERAL (VALUES
  ('definition', CASE WHEN f.prokind = 'a' THEN
     format('CREATE AGGREGATE (SFUNC = %s, STYPE = %s, SSPACE = %s, FINALFUNC = %s, '
            'FINALFUNC_EXTRA = %s, FINALFUNC_MODIFY = %s, COMBINEFUNC = %s, SERIALFUNC = %s, '
            'DESERIALFUNC = %s, INITCOND = %L, MSFUNC = %s, MINVFUNC = %s, MSTYPE = %s, '
            'MSSPACE = %s, MFINALFUNC = %s, MFINALFUNC_EXTRA = %s, MFINALFUNC_MODIFY = %s, '
            'MINITCOND = %L, SORTOP = %s, KIND = %s, DIRECT = %s, PARALLEL = %s)',
            g.aggtransfn, format_type(g.aggtranstype, NULL), g.aggtransspace, g.aggfinalfn,
            g.aggfinalextra, g.aggfinalmodify, g.aggcombinefn, g.aggserialfn, g.aggdeserialfn,
            g.agginitval, g.aggmtransfn, g.aggminvtransfn,
            CASE WHEN g.aggmtranstype <> 0 THEN format_type(g.aggmtranstype, NULL) ELSE '-' END,
            g.aggmtransspace, g.aggmfinalfn, g.aggmfinalextra, g.aggmfinalmodify,
            g.aggminitval, g.aggsortop::regoperator, g.aggkind, g.aggnumdirectargs,
            f.proparallel)
     ELSE pg_get_functiondef(f.oid) END),
  ('comment', obj_description(f.oid, 'pg_proc'))
) p(property, value)
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND p.value IS NOT NULL
  -- The constructors of a range type are part of the type.
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                  AND d.objid = f.oid AND d.deptype IN ('e', 'i'))
