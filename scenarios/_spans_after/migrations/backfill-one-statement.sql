-- All rows of the backfill in one statement and one transaction.

UPDATE spans
SET task_id = spans.trace_id
FROM tasks
WHERE tasks.id = spans.trace_id AND spans.task_id IS NULL;
