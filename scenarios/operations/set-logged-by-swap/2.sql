INSERT INTO carts_logged (id, item)
SELECT id, item FROM carts AS old
WHERE NOT EXISTS (SELECT FROM carts_logged WHERE id = old.id)
ORDER BY id LIMIT 5000 FOR SHARE
ON CONFLICT (id) DO NOTHING;
