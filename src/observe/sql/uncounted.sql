-- Why the server's counters of written rows may not have what was written; null: they have.
SELECT CASE
  WHEN NOT current_setting('track_counts')::bool THEN 'track_counts is off'
  WHEN EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS c (setting)
               WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database
                                           WHERE datname = current_database()))
                 AND c.setting ~* '^track_counts='
                 AND NOT split_part(c.setting, '=', 2)::bool)
    THEN 'track_counts is off for a role or in the database'
  WHEN EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
               WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                 AND (p.prosrc ~* 'track_counts|pg_stat_reset'
                      OR p.proconfig::text ~* 'track_counts'))
    THEN 'a function turns track_counts off, or resets the counters'
END
