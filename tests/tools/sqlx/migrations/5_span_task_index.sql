-- no-transaction

CREATE INDEX CONCURRENTLY ix_spans_task_id ON spans (task_id);
