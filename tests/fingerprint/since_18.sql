-- What 18 brought.
CREATE TABLE app.eighteen (
    a int CONSTRAINT a_is_there NOT NULL,
    b int NOT NULL NO INHERIT,
    c int,
    twice int GENERATED ALWAYS AS (a * 2) VIRTUAL,
    CONSTRAINT c_is_small CHECK (c < 10) NOT ENFORCED,
    CONSTRAINT to_itself FOREIGN KEY (c) REFERENCES app.eighteen (a) NOT ENFORCED,
    UNIQUE (a)
);
ALTER TABLE app.eighteen ADD CONSTRAINT c_is_there NOT NULL c NOT VALID;
COMMENT ON CONSTRAINT a_is_there ON app.eighteen IS 'always';
CREATE TABLE app.leases (flat int4range, during daterange,
    PRIMARY KEY (flat, during WITHOUT OVERLAPS));
CREATE TABLE app.rents (flat int4range, during daterange,
    FOREIGN KEY (flat, PERIOD during) REFERENCES app.leases (flat, PERIOD during));
CREATE PUBLICATION generated FOR TABLE app.eighteen WITH (publish_generated_columns = stored);
ALTER DEFAULT PRIVILEGES GRANT SELECT ON LARGE OBJECTS TO fp_reader;
