CREATE TABLE downloads (id varchar NOT NULL, package integer NOT NULL);
CREATE FUNCTION label(package integer) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM pg_sleep(0.001);
    RETURN 'p' || package;
END
$$;
