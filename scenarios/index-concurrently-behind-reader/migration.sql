-- An index for the list of spans by name, newest first.

CREATE INDEX CONCURRENTLY ix_spans_name ON spans (name, start_time);
