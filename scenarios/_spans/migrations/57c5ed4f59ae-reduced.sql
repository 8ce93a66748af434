-- 57c5ed4f59ae reduced to what takes no time: the column alone.

ALTER TABLE spans ADD COLUMN IF NOT EXISTS task_id varchar;
