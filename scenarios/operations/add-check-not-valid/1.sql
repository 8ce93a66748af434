ALTER TABLE orders ADD CONSTRAINT orders_note CHECK (length(note) < 10000) NOT VALID;
