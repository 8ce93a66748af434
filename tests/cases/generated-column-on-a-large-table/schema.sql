CREATE TABLE executions (id varchar NOT NULL, namespace varchar NOT NULL, attributes jsonb);
CREATE FUNCTION problems_of(attributes jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM pg_sleep(0.001);
    RETURN attributes -> 'problems';
END
$$;
