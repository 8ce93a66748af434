-- The tables of revision a9959ebcbe98: spans.task_id is there, and null in every old row. Keys and
-- indexes come after the load: indexes.sql.

CREATE TYPE taskstatus AS ENUM ('RUNNING', 'COMPLETED', 'FAILED', 'CANCELED');
CREATE TYPE deploymentstatus AS ENUM ('PENDING', 'READY', 'FAILED');

CREATE TABLE tasks (
    id            varchar NOT NULL,
    name          varchar,
    status        taskstatus,
    status_reason text,
    created_at    timestamptz DEFAULT now(),
    updated_at    timestamptz DEFAULT now(),
    params        jsonb,
    task_metadata jsonb
);

CREATE TABLE spans (
    id         varchar NOT NULL,
    trace_id   varchar NOT NULL,
    parent_id  varchar,
    name       varchar NOT NULL,
    start_time timestamptz NOT NULL,
    end_time   timestamptz,
    input      json,
    output     json,
    data       json,
    task_id    varchar
);

CREATE TABLE agents (
    id         varchar(64) NOT NULL,
    name       varchar NOT NULL,
    created_at timestamptz DEFAULT now()
);

CREATE TABLE deployments (
    id            varchar NOT NULL,
    agent_id      varchar(64) NOT NULL,
    docker_image  varchar,
    status        deploymentstatus DEFAULT 'PENDING',
    is_production boolean NOT NULL DEFAULT false,
    created_at    timestamptz DEFAULT now()
);

CREATE TABLE alembic_version (
    version_num varchar(32) NOT NULL
);

-- What operators ran by hand. A backfill is no revision of the schema.
CREATE TABLE backfills (
    name varchar NOT NULL
);
