-- Keys, indexes and what is made from the rows.

ALTER TABLE customers ADD PRIMARY KEY (id);

ALTER TABLE orders ADD PRIMARY KEY (id);
CREATE INDEX orders_customer_id ON orders (customer_id);
CREATE INDEX orders_channel ON orders (channel);

ALTER TABLE events ADD PRIMARY KEY (id, happened_on);
ALTER TABLE visits ADD PRIMARY KEY (id, visited_on);
ALTER TABLE visits_february ADD PRIMARY KEY (id, visited_on);
ALTER TABLE carts ADD PRIMARY KEY (id);

CREATE MATERIALIZED VIEW sales AS
    SELECT placed_on, count(*) AS orders, sum(total) AS total, max(note) AS last_note
    FROM orders GROUP BY placed_on;
CREATE UNIQUE INDEX sales_placed_on ON sales (placed_on);
