CREATE FUNCTION orders_note_length() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.note_length := length(NEW.note);
    RETURN NEW;
END
$$;
CREATE TRIGGER orders_note_length BEFORE INSERT OR UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION orders_note_length();
