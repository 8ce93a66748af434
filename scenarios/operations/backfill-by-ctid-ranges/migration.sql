DO $$
BEGIN
    FOR page IN 0 .. pg_relation_size('orders') / 8192 BY 50 LOOP
        UPDATE orders SET legacy = number
        WHERE ctid >= format('(%s,0)', page)::tid AND ctid < format('(%s,0)', page + 50)::tid;
        COMMIT;
        PERFORM pg_sleep(0.02);
    END LOOP;
END
$$;
