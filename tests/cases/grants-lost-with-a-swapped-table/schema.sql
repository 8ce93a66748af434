CREATE TABLE counters (id varchar NOT NULL, total integer NOT NULL);
