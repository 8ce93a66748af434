CREATE TABLE orders (id varchar NOT NULL, total integer NOT NULL);
CREATE TABLE rates (country varchar NOT NULL, percent integer NOT NULL);
CREATE TABLE versions (version varchar NOT NULL);
