DO $$
BEGIN
    FOR low IN 1 .. (SELECT max(id) FROM orders) BY 500 LOOP
        UPDATE orders SET quantity_large = quantity
        WHERE id >= low AND id < low + 500 AND quantity_large IS NULL;
        COMMIT;
        PERFORM pg_sleep(0.005);
    END LOOP;
END
$$;
