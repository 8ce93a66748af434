-- The key and the index that the reduced 57c5ed4f59ae leaves out, for databases that do not have
-- them from the original. Both outside a transaction: the key commits at once, so its locks on spans
-- and tasks are short; it is not validated, on purpose.

COMMIT;

DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'fk_spans_task_id_tasks') THEN
        ALTER TABLE spans
            ADD CONSTRAINT fk_spans_task_id_tasks
            FOREIGN KEY (task_id) REFERENCES tasks (id) ON DELETE SET NULL
            NOT VALID;
    END IF;
END
$$;

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_spans_task_id ON spans (task_id);

BEGIN;
