DO $$
BEGIN
    FOR low IN 1 .. (SELECT max(id) FROM orders) BY 500 LOOP
        UPDATE orders SET token = gen_random_uuid()
        WHERE id >= low AND id < low + 500 AND token IS NULL;
        COMMIT;
        PERFORM pg_sleep(0.005);
    END LOOP;
END
$$;
