CREATE TABLE carts_logged (LIKE carts INCLUDING ALL);
GRANT SELECT, INSERT, UPDATE, DELETE ON carts_logged TO pgauntlet_app;
CREATE FUNCTION carts_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM carts_logged WHERE id = OLD.id;
        RETURN OLD;
    END IF;
    INSERT INTO carts_logged (id, item) VALUES (NEW.id, NEW.item)
        ON CONFLICT (id) DO UPDATE SET item = EXCLUDED.item;
    RETURN NEW;
END
$$;
CREATE TRIGGER carts_follow AFTER INSERT OR UPDATE OR DELETE ON carts
    FOR EACH ROW EXECUTE FUNCTION carts_follow();
