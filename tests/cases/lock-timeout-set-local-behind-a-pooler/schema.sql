CREATE ROLE shop;
CREATE TABLE orders (id varchar NOT NULL, total integer NOT NULL);
ALTER TABLE orders OWNER TO shop;
