-- Sessions that only look. $1: oid of the database; $2: their application_name.
SELECT a.pid FROM pg_stat_activity a WHERE a.datid = $1 AND a.application_name = $2
