-- The runbook: one DO block that commits after each batch of 10,000 rows and rests for 100 ms.

DO $$
DECLARE
    updated bigint;
BEGIN
    LOOP
        UPDATE spans
        SET task_id = trace_id
        WHERE ctid = ANY (ARRAY(
            SELECT spans.ctid
            FROM spans
            JOIN tasks ON tasks.id = spans.trace_id
            WHERE spans.task_id IS NULL
            LIMIT 10000
        ));
        GET DIAGNOSTICS updated = ROW_COUNT;
        COMMIT;
        EXIT WHEN updated = 0;
        PERFORM pg_sleep(0.1);
    END LOOP;
END
$$;
