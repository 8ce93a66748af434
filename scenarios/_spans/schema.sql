-- The tables of revision 4a9b7787ccd7. Keys and indexes come after the load: indexes.sql.

CREATE TYPE taskstatus AS ENUM ('RUNNING', 'COMPLETED', 'FAILED', 'CANCELED');
CREATE TYPE deploymentstatus AS ENUM ('Pending', 'Ready', 'Failed');

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
    data       json
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
    status        deploymentstatus DEFAULT 'Pending',
    is_production boolean NOT NULL DEFAULT false,
    created_at    timestamptz DEFAULT now()
);

CREATE TABLE alembic_version (
    version_num varchar(32) NOT NULL
);
