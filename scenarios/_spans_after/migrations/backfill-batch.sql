-- One batch of the runbook, as a statement of its own. The runner repeats it until it updates none.

UPDATE spans
SET task_id = trace_id
WHERE ctid = ANY (ARRAY(
    SELECT spans.ctid
    FROM spans
    JOIN tasks ON tasks.id = spans.trace_id
    WHERE spans.task_id IS NULL
    LIMIT 10000
));
