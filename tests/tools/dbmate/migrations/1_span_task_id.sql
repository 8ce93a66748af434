-- The column alone: no key, no index.

-- migrate:up
SET LOCAL lock_timeout = '3s';

ALTER TABLE spans ADD COLUMN task_id varchar;

-- migrate:down
