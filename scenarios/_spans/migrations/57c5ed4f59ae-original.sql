-- 57c5ed4f59ae as it was first written: column, backfill, validated key and index, all in the one
-- transaction that the runner opens. The AccessExclusiveLock of the first statement is held until
-- the last one is done.

ALTER TABLE spans ADD COLUMN task_id varchar;

UPDATE spans
SET task_id = spans.trace_id
FROM tasks
WHERE spans.trace_id = tasks.id AND spans.task_id IS NULL;

ALTER TABLE spans
    ADD CONSTRAINT fk_spans_task_id_tasks
    FOREIGN KEY (task_id) REFERENCES tasks (id) ON DELETE SET NULL;

CREATE INDEX ix_spans_task_id ON spans (task_id);
