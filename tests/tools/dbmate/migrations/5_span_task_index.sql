-- The index on spans.task_id.

-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY ix_spans_task_id ON spans (task_id);

-- migrate:down
