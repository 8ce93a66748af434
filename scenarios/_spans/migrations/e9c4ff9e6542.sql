-- An index for filters on a task's metadata, built outside a transaction.

COMMIT;

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_tasks_metadata_gin
    ON tasks USING gin (task_metadata jsonb_path_ops);

BEGIN;
