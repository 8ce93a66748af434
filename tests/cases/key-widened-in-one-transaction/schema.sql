DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'refs_owner') THEN
        CREATE ROLE refs_owner;
    END IF;
END
$$;
CREATE TABLE refs (id serial, path varchar NOT NULL, note text);
