CREATE TABLE accounts (
    id      bigint PRIMARY KEY,
    balance int NOT NULL
);

CREATE TABLE entries (
    id   bigint PRIMARY KEY,
    seen int NOT NULL
);
