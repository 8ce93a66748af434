CREATE TABLE uploads (id varchar NOT NULL, bytes integer NOT NULL);
CREATE FUNCTION is_plausible(bytes integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM pg_sleep(0.001);
    RETURN bytes > 0;
END
$$;
