DO $$
BEGIN
    FOR low IN 1 .. (SELECT max(id) FROM orders) BY 500 LOOP
        UPDATE orders SET note_length = length(note)
        WHERE id >= low AND id < low + 500 AND note_length IS NULL AND note IS NOT NULL;
        COMMIT;
        PERFORM pg_sleep(0.005);
    END LOOP;
END
$$;
