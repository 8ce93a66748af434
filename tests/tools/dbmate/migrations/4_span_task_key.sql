-- The foreign key, which is not validated, in a transaction as short as it is.

-- migrate:up
SET LOCAL lock_timeout = '3s';

ALTER TABLE spans
    ADD CONSTRAINT fk_spans_task_id_tasks
    FOREIGN KEY (task_id) REFERENCES tasks (id) ON DELETE SET NULL
    NOT VALID;

-- migrate:down
