CREATE FUNCTION orders_quantity_large() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.quantity_large := NEW.quantity;
    RETURN NEW;
END
$$;
CREATE TRIGGER orders_quantity_large BEFORE INSERT OR UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION orders_quantity_large();
