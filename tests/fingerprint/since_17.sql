-- What 17 brought.
CREATE COLLATION app.builtin (provider = builtin, locale = 'C.UTF-8');
GRANT MAINTAIN ON app.spans TO fp_app;
CREATE TABLE app.identified (id int GENERATED ALWAYS AS IDENTITY, at date) PARTITION BY RANGE (at);
CREATE TABLE app.identified_all PARTITION OF app.identified DEFAULT;
