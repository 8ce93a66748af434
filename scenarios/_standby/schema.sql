CREATE TABLE orders (
    id    bigint NOT NULL,
    total integer NOT NULL,
    note  text
);

CREATE TABLE payments (
    id       varchar NOT NULL,
    order_id bigint NOT NULL
);
