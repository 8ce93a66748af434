CREATE TABLE events_february (LIKE events INCLUDING ALL);
ALTER TABLE events ATTACH PARTITION events_february FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
ALTER TABLE events_other DROP CONSTRAINT not_february;
