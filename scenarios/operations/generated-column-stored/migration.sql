ALTER TABLE orders ADD COLUMN note_length integer GENERATED ALWAYS AS (length(note)) STORED;
