-- An index for the list of spans by name, newest first. Whatever has its name goes first.

DROP INDEX CONCURRENTLY IF EXISTS ix_spans_name;

CREATE INDEX CONCURRENTLY ix_spans_name ON spans (name, start_time);
