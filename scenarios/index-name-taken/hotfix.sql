-- What somebody typed on a bad evening.

CREATE INDEX CONCURRENTLY ix_spans_name ON spans (name);
