ALTER TABLE accounts ALTER COLUMN email TYPE character varying(120);
