ALTER TABLE entries ADD COLUMN memo text;
