CREATE TABLE executions (id varchar NOT NULL, namespace varchar NOT NULL, attributes jsonb);
