-- Revision 4a9b7787ccd7 from nothing: what schema.sql and indexes.sql make, but for the version
-- table, which is the runner's.

CREATE TYPE taskstatus AS ENUM ('RUNNING', 'COMPLETED', 'FAILED', 'CANCELED');
CREATE TYPE deploymentstatus AS ENUM ('Pending', 'Ready', 'Failed');

CREATE TABLE tasks (
    id            varchar NOT NULL PRIMARY KEY,
    name          varchar,
    status        taskstatus,
    status_reason text,
    created_at    timestamptz DEFAULT now(),
    updated_at    timestamptz DEFAULT now(),
    params        jsonb,
    task_metadata jsonb
);
CREATE UNIQUE INDEX ix_tasks_name ON tasks (name);
CREATE INDEX ix_tasks_status ON tasks (status);

CREATE TABLE spans (
    id         varchar NOT NULL PRIMARY KEY,
    trace_id   varchar NOT NULL,
    parent_id  varchar,
    name       varchar NOT NULL,
    start_time timestamptz NOT NULL,
    end_time   timestamptz,
    input      json,
    output     json,
    data       json
);
CREATE INDEX ix_spans_trace_id ON spans (trace_id);
CREATE INDEX ix_spans_trace_id_start_time ON spans (trace_id, start_time);
CREATE INDEX ix_spans_parent_id ON spans (parent_id);

CREATE TABLE agents (
    id         varchar(64) NOT NULL PRIMARY KEY,
    name       varchar NOT NULL UNIQUE,
    created_at timestamptz DEFAULT now()
);

CREATE TABLE deployments (
    id            varchar NOT NULL PRIMARY KEY,
    agent_id      varchar(64) NOT NULL REFERENCES agents (id),
    docker_image  varchar,
    status        deploymentstatus DEFAULT 'Pending',
    is_production boolean NOT NULL DEFAULT false,
    created_at    timestamptz DEFAULT now()
);
