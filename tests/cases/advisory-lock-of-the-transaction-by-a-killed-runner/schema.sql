CREATE TABLE orders (id varchar NOT NULL, total integer NOT NULL);
CREATE SEQUENCE starts;
