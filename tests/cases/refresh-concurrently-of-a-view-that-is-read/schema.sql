CREATE TABLE measures (id varchar NOT NULL, item varchar NOT NULL, value integer NOT NULL);
