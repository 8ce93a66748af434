-- What a span cost.

ALTER TABLE spans ADD COLUMN IF NOT EXISTS cost numeric;
