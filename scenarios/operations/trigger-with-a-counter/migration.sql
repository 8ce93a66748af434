CREATE TABLE order_counts (n bigint NOT NULL);
INSERT INTO order_counts VALUES (0);
CREATE FUNCTION orders_counted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    UPDATE order_counts SET n = n + 1;
    PERFORM pg_sleep(0.05);
    RETURN NULL;
END
$$;
CREATE TRIGGER orders_counted AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_counted();
