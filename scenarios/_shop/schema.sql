-- The shop's tables. Keys and indexes come after the load: indexes.sql.

CREATE TYPE order_status AS ENUM ('new', 'paid', 'sent');

CREATE TABLE customers (
    id    bigint NOT NULL,
    name  text NOT NULL,
    email text NOT NULL
);

CREATE SEQUENCE orders_id_seq AS integer;

CREATE TABLE orders (
    id          integer NOT NULL DEFAULT nextval('orders_id_seq'),
    customer_id bigint NOT NULL,
    number      varchar(50) NOT NULL,
    status      order_status NOT NULL DEFAULT 'new',
    quantity    integer NOT NULL DEFAULT 1,
    total       integer NOT NULL,
    placed_on   date NOT NULL,
    channel     text NOT NULL DEFAULT 'web',
    legacy      text,
    note        text
);

ALTER SEQUENCE orders_id_seq OWNED BY orders.id;

CREATE TABLE events (
    id          varchar NOT NULL,
    happened_on date NOT NULL,
    note        text
) PARTITION BY RANGE (happened_on);

CREATE TABLE events_january PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE events_other PARTITION OF events DEFAULT;

CREATE TABLE visits (
    id         varchar NOT NULL,
    visited_on date NOT NULL,
    page       text
) PARTITION BY RANGE (visited_on);

CREATE TABLE visits_december PARTITION OF visits FOR VALUES FROM ('2025-12-01') TO ('2026-01-01');
CREATE TABLE visits_january PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE visits_february (LIKE visits);

CREATE UNLOGGED TABLE carts (
    id   bigint NOT NULL,
    item text
);
