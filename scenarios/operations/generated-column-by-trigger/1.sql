ALTER TABLE orders ADD COLUMN note_length integer;
