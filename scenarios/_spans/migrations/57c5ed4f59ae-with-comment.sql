-- The reduced 57c5ed4f59ae with a second statement, so that there is a place to stop in between.

ALTER TABLE spans ADD COLUMN IF NOT EXISTS task_id varchar;

COMMENT ON COLUMN spans.task_id IS 'The task that the span belongs to.';
