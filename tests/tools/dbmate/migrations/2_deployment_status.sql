-- Upper-case labels of deployments.status. The default goes first, because it names a label.

-- migrate:up
SET LOCAL lock_timeout = '3s';

ALTER TABLE deployments ALTER COLUMN status DROP DEFAULT;

ALTER TYPE deploymentstatus RENAME VALUE 'Pending' TO 'PENDING';
ALTER TYPE deploymentstatus RENAME VALUE 'Ready' TO 'READY';
ALTER TYPE deploymentstatus RENAME VALUE 'Failed' TO 'FAILED';

ALTER TABLE deployments ALTER COLUMN status SET DEFAULT 'PENDING';

-- migrate:down
