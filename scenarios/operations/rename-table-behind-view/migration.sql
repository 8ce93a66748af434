ALTER TABLE customers RENAME TO clients;
CREATE VIEW customers AS SELECT id, name, email FROM clients;
GRANT SELECT, INSERT, UPDATE, DELETE ON customers TO pgauntlet_app;
