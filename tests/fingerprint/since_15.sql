-- What 15 brought.
CREATE TABLE app.distinct_nulls (n int, m int, UNIQUE NULLS NOT DISTINCT (n));
CREATE UNLOGGED SEQUENCE app.fast;
CREATE VIEW app.invoked WITH (security_invoker) AS SELECT 1 AS one;
CREATE PUBLICATION filtered FOR TABLE app.spans (id, position_code) WHERE (id > 7);
CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA "Odd ""Schema""";
CREATE TABLE app.composed_key (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE app.composed (a int, b int,
    FOREIGN KEY (a, b) REFERENCES app.composed_key (a, b) ON DELETE SET NULL (b));
