LOCK TABLE orders;
UPDATE orders SET legacy = number;
