-- The runner's transaction is still open here.

CREATE INDEX CONCURRENTLY ix_spans_name ON spans (name);
