ALTER TABLE orders ADD COLUMN code text;
UPDATE orders SET code = number;
