ALTER TABLE orders ADD COLUMN quantity_large bigint;
