ALTER TABLE entries ADD COLUMN note text;
ALTER TABLE accounts ADD COLUMN note text;
