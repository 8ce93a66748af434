CREATE TABLE uploads (id varchar NOT NULL, bytes integer NOT NULL);
