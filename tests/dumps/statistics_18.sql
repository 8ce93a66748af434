--
-- PostgreSQL database dump
--

\restrict uRsXnfiZvrZZoQMXu2oCoeBvnZWmfdppn1wr14iEoFgRyieg4apqQEX4V3yJbTp

-- Dumped from database version 18.4
-- Dumped by pg_dump version 18.4

SET statement_timeout = 0;
SET lock_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET row_security = off;

--
-- Statistics for Name: customer; Type: STATISTICS DATA; Schema: public; Owner: -
--

SELECT * FROM pg_catalog.pg_restore_relation_stats(
	'version', '180004'::integer,
	'schemaname', 'public',
	'relname', 'customer',
	'relpages', '400'::integer,
	'reltuples', '40000'::real,
	'relallvisible', '0'::integer,
	'relallfrozen', '0'::integer
);
SELECT * FROM pg_catalog.pg_restore_attribute_stats(
	'version', '180004'::integer,
	'schemaname', 'public',
	'relname', 'customer',
	'attname', 'tier',
	'inherited', 'f'::boolean,
	'null_frac', '0.25'::real,
	'avg_width', '5'::integer,
	'n_distinct', '3'::real,
	'most_common_vals', '{hush-hush,paid,trial}'::text,
	'most_common_freqs', '{0.5,0.15,0.1}'::real[],
	'correlation', '0.4'::real
);
SELECT * FROM pg_catalog.pg_restore_attribute_stats(
	'version', '180004'::integer,
	'schemaname', 'public',
	'relname', 'customer',
	'attname', 'points',
	'inherited', 'f'::boolean,
	'null_frac', '0'::real,
	'avg_width', '4'::integer,
	'n_distinct', '-0.5'::real,
	'histogram_bounds', '{17,500,4017}'::text,
	'correlation', '0.01'::real
);


--
-- Statistics for Name: gone; Type: STATISTICS DATA; Schema: public; Owner: -
--

SELECT * FROM pg_catalog.pg_restore_relation_stats(
	'version', '180004'::integer,
	'schemaname', 'public',
	'relname', 'gone',
	'relpages', '1'::integer,
	'reltuples', '5'::real,
	'relallvisible', '0'::integer,
	'relallfrozen', '0'::integer
);


--
-- PostgreSQL database dump complete
--

\unrestrict uRsXnfiZvrZZoQMXu2oCoeBvnZWmfdppn1wr14iEoFgRyieg4apqQEX4V3yJbTp

