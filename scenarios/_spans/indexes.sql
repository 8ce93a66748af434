-- Keys and indexes of revision 4a9b7787ccd7.

ALTER TABLE tasks ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX ix_tasks_name ON tasks (name);
CREATE INDEX ix_tasks_status ON tasks (status);

ALTER TABLE spans ADD PRIMARY KEY (id);
CREATE INDEX ix_spans_trace_id ON spans (trace_id);
CREATE INDEX ix_spans_trace_id_start_time ON spans (trace_id, start_time);
CREATE INDEX ix_spans_parent_id ON spans (parent_id);

ALTER TABLE agents ADD PRIMARY KEY (id);
ALTER TABLE agents ADD CONSTRAINT agents_name_key UNIQUE (name);

ALTER TABLE deployments ADD PRIMARY KEY (id);
ALTER TABLE deployments
    ADD CONSTRAINT deployments_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES agents (id);

ALTER TABLE alembic_version ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
