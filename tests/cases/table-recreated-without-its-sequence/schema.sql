DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shares_owner') THEN
        CREATE ROLE shares_owner;
    END IF;
END
$$;
CREATE TABLE shares (id serial, token varchar NOT NULL, note text);
