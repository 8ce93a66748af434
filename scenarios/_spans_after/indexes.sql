-- Keys and indexes of revision a9959ebcbe98. The key on task_id is not validated, as the rollout leaves
-- it.

ALTER TABLE tasks ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX ix_tasks_name ON tasks (name);
CREATE INDEX ix_tasks_status ON tasks (status);
CREATE INDEX ix_tasks_metadata_gin ON tasks USING gin (task_metadata jsonb_path_ops);

ALTER TABLE spans ADD PRIMARY KEY (id);
CREATE INDEX ix_spans_trace_id ON spans (trace_id);
CREATE INDEX ix_spans_trace_id_start_time ON spans (trace_id, start_time);
CREATE INDEX ix_spans_parent_id ON spans (parent_id);
CREATE INDEX ix_spans_task_id ON spans (task_id);
ALTER TABLE spans
    ADD CONSTRAINT fk_spans_task_id_tasks
    FOREIGN KEY (task_id) REFERENCES tasks (id) ON DELETE SET NULL
    NOT VALID;

ALTER TABLE agents ADD PRIMARY KEY (id);
ALTER TABLE agents ADD CONSTRAINT agents_name_key UNIQUE (name);

ALTER TABLE deployments ADD PRIMARY KEY (id);
ALTER TABLE deployments
    ADD CONSTRAINT deployments_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES agents (id);

ALTER TABLE alembic_version ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE backfills ADD PRIMARY KEY (name);
