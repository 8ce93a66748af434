UPDATE orders SET status = 'returned' WHERE id = 1;
