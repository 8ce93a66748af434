-- What a span cost.

ALTER TABLE spans ADD COLUMN cost numeric;
