-- What ALTER DATABASE … SET and ALTER ROLE … IN DATABASE … SET give to sessions of this database as
-- they begin.
SELECT 'session defaults',
       CASE s.setrole WHEN 0 THEN 'of the database'
         ELSE format('of %s', s.setrole::regrole::text) END,
       split_part(c.entry, '=', 1), substr(c.entry, strpos(c.entry, '=') + 1)
FROM pg_db_role_setting s
CROSS JOIN LATERAL unnest(s.setconfig) c(entry)
WHERE s.setdatabase = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
