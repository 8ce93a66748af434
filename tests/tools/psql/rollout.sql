-- The rollout by hand: psql -X -v ON_ERROR_STOP=1 -f rollout.sql
-- Each step asks first whether it is done, so that a rerun goes on where the last one stopped.

BEGIN;
SET LOCAL lock_timeout = '3s';
ALTER TABLE spans ADD COLUMN IF NOT EXISTS task_id varchar;
COMMIT;

-- The default goes first, because it names a label.
SELECT EXISTS (
    SELECT FROM pg_enum
    WHERE enumtypid = 'deploymentstatus'::regtype AND enumlabel = 'Pending'
) AS mixed_case \gset
\if :mixed_case
    BEGIN;
    SET LOCAL lock_timeout = '3s';
    ALTER TABLE deployments ALTER COLUMN status DROP DEFAULT;
    ALTER TYPE deploymentstatus RENAME VALUE 'Pending' TO 'PENDING';
    ALTER TYPE deploymentstatus RENAME VALUE 'Ready' TO 'READY';
    ALTER TYPE deploymentstatus RENAME VALUE 'Failed' TO 'FAILED';
    ALTER TABLE deployments ALTER COLUMN status SET DEFAULT 'PENDING';
    COMMIT;
\endif

-- IF NOT EXISTS takes an INVALID index, which a build that failed left, for a finished one.
SELECT format('DROP INDEX CONCURRENTLY %s', indexrelid::regclass)
FROM pg_index
WHERE NOT indisvalid
  AND indexrelid IN (to_regclass('ix_tasks_metadata_gin'), to_regclass('ix_spans_task_id'))
\gexec

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_tasks_metadata_gin
    ON tasks USING gin (task_metadata jsonb_path_ops);

SELECT NOT EXISTS (
    SELECT FROM pg_constraint WHERE conname = 'fk_spans_task_id_tasks'
) AS no_key \gset
\if :no_key
    BEGIN;
    SET LOCAL lock_timeout = '3s';
    ALTER TABLE spans
        ADD CONSTRAINT fk_spans_task_id_tasks
        FOREIGN KEY (task_id) REFERENCES tasks (id) ON DELETE SET NULL
        NOT VALID;
    COMMIT;
\endif

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_spans_task_id ON spans (task_id);
