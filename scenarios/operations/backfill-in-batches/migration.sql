DO $$
BEGIN
    FOR low IN 1 .. (SELECT max(id) FROM orders) BY 500 LOOP
        UPDATE orders SET legacy = number
        WHERE id >= low AND id < low + 500 AND legacy IS NULL;
        COMMIT;
        PERFORM pg_sleep(0.005);
    END LOOP;
END
$$;
