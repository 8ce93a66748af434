CREATE TABLE groups (
    id   int NOT NULL,
    name text NOT NULL
);

CREATE TABLE points (
    id         int NOT NULL,
    group_id   int NOT NULL,
    value      int,
    label      text NOT NULL,
    created_at timestamptz NOT NULL,
    mark       int,
    -- NULL, which takes no room, but in the wide table.
    params     jsonb,
    note       text
);

CREATE TABLE visits (
    id   int NOT NULL,
    page text NOT NULL
);
