CREATE FUNCTION orders_trimmed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.note := trim(NEW.note);
    RETURN NEW;
END
$$;
CREATE TRIGGER orders_trimmed BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION orders_trimmed();
