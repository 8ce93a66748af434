-- An index for filters on a task's metadata. A file goes to the server as one message, which is a
-- transaction if it has several statements: an index that is built CONCURRENTLY has its own file.

-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY ix_tasks_metadata_gin ON tasks USING gin (task_metadata jsonb_path_ops);

-- migrate:down
