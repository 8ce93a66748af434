-- An index for the list of spans by name, newest first.

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_spans_name ON spans (name, start_time);
