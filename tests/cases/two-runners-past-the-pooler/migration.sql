SELECT pg_sleep(2);
INSERT INTO rates VALUES ('de', 19);
SELECT pg_sleep(2);
