CREATE TABLE customer (
    id bigserial PRIMARY KEY,
    name varchar(200) NOT NULL
);
CREATE TABLE invoice (
    id bigserial PRIMARY KEY,
    customer_id bigint NOT NULL,
    amount numeric(12, 2) NOT NULL
);
