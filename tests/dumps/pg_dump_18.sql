--
-- PostgreSQL database dump
--

\restrict uRsXnfiZvrZZoQMXu2oCoeBvnZWmfdppn1wr14iEoFgRyieg4apqQEX4V3yJbTp

-- Dumped from database version 18.4
-- Dumped by pg_dump version 18.4

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: shop; Type: DATABASE; Schema: -; Owner: postgres
--

CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'C.UTF-8';


ALTER DATABASE shop OWNER TO postgres;

\unrestrict uRsXnfiZvrZZoQMXu2oCoeBvnZWmfdppn1wr14iEoFgRyieg4apqQEX4V3yJbTp
\connect shop
\restrict uRsXnfiZvrZZoQMXu2oCoeBvnZWmfdppn1wr14iEoFgRyieg4apqQEX4V3yJbTp

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: shop; Type: DATABASE PROPERTIES; Schema: -; Owner: postgres
--

ALTER DATABASE shop SET work_mem TO '5MB';


\unrestrict uRsXnfiZvrZZoQMXu2oCoeBvnZWmfdppn1wr14iEoFgRyieg4apqQEX4V3yJbTp
\connect shop
\restrict uRsXnfiZvrZZoQMXu2oCoeBvnZWmfdppn1wr14iEoFgRyieg4apqQEX4V3yJbTp

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: audit; Type: SCHEMA; Schema: -; Owner: dump_owner
--

CREATE SCHEMA audit;


ALTER SCHEMA audit OWNER TO dump_owner;

--
-- Name: btree_gist; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;


--
-- Name: EXTENSION btree_gist; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION btree_gist IS 'support for indexing common datatypes in GiST';


--
-- Name: note(); Type: FUNCTION; Schema: audit; Owner: postgres
--

CREATE FUNCTION audit.note() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE 'not \.
COPY x FROM stdin;
here'; END $$;


ALTER FUNCTION audit.note() OWNER TO postgres;

--
-- Name: is_iban(text); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.is_iban(t text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT t ~ '^[A-Z]{2}[0-9]{2}' AND length(t) > 10 $$;


ALTER FUNCTION public.is_iban(t text) OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: Order; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public."Order" (
    id integer NOT NULL,
    customer_id bigint NOT NULL,
    number integer NOT NULL,
    state text NOT NULL,
    paid_at date,
    total numeric(12,2) GENERATED ALWAYS AS ((net + vat)) STORED,
    net numeric(12,2) NOT NULL,
    vat numeric(12,2) NOT NULL,
    CONSTRAINT "Order_check" CHECK (
CASE
    WHEN (state = 'paid'::text) THEN (paid_at IS NOT NULL)
    ELSE (paid_at IS NULL)
END),
    CONSTRAINT "Order_total_check" CHECK ((total > (0)::numeric))
);


ALTER TABLE public."Order" OWNER TO postgres;

--
-- Name: Order_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public."Order_id_seq"
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER SEQUENCE public."Order_id_seq" OWNER TO postgres;

--
-- Name: Order_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public."Order_id_seq" OWNED BY public."Order".id;


--
-- Name: account; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.account (
    id uuid NOT NULL,
    owner_id bigint,
    org uuid,
    iban text NOT NULL,
    is_default boolean NOT NULL,
    balance money,
    CONSTRAINT account_check CHECK (((owner_id IS NULL) <> (org IS NULL))),
    CONSTRAINT account_iban_check CHECK (public.is_iban(iban))
);


ALTER TABLE public.account OWNER TO postgres;

--
-- Name: assignment; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.assignment (
    id integer NOT NULL,
    tenant_id integer NOT NULL,
    project_id integer NOT NULL,
    member_id integer NOT NULL
);


ALTER TABLE public.assignment OWNER TO postgres;

--
-- Name: category; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.category (
    id integer NOT NULL,
    parent_id integer NOT NULL,
    slug text NOT NULL,
    CONSTRAINT category_slug_check CHECK ((slug = lower(slug)))
);


ALTER TABLE public.category OWNER TO postgres;

--
-- Name: comment; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.comment (
    id integer NOT NULL,
    product_id uuid,
    order_id integer,
    body text NOT NULL,
    CONSTRAINT comment_body_check CHECK ((btrim(body) <> ''::text)),
    CONSTRAINT comment_check CHECK ((num_nonnulls(product_id, order_id) = 1))
);


ALTER TABLE public.comment OWNER TO postgres;

--
-- Name: comment_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.comment_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER SEQUENCE public.comment_id_seq OWNER TO postgres;

--
-- Name: comment_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.comment_id_seq OWNED BY public.comment.id;


--
-- Name: country; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.country (
    code character(2) NOT NULL,
    name text NOT NULL,
    CONSTRAINT country_code_check CHECK (((code)::text = upper((code)::text)))
);


ALTER TABLE public.country OWNER TO postgres;

--
-- Name: customer; Type: TABLE; Schema: public; Owner: dump_owner
--

CREATE TABLE public.customer (
    id bigint NOT NULL,
    email character varying(80) NOT NULL,
    name text NOT NULL,
    code character(8) NOT NULL,
    age integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    referrer_id bigint,
    CONSTRAINT customer_age_check CHECK (((age >= 18) AND (age <= 120))),
    CONSTRAINT customer_check CHECK ((updated_at >= created_at)),
    CONSTRAINT customer_check1 CHECK ((referrer_id <> id)),
    CONSTRAINT customer_code_check CHECK ((code ~ '^[A-Z]{3}-[0-9]{4}$'::text)),
    CONSTRAINT customer_email_check CHECK (((email)::text ~~ '%@%'::text))
);


ALTER TABLE public.customer OWNER TO dump_owner;

--
-- Name: customer_id_seq; Type: SEQUENCE; Schema: public; Owner: dump_owner
--

ALTER TABLE public.customer ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.customer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: customers; Type: VIEW; Schema: public; Owner: dump_owner
--

CREATE VIEW public.customers AS
 SELECT id,
    email
   FROM public.customer;


ALTER VIEW public.customers OWNER TO dump_owner;

--
-- Name: cyc_a; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.cyc_a (
    id integer NOT NULL,
    b_id integer NOT NULL
);


ALTER TABLE public.cyc_a OWNER TO postgres;

--
-- Name: cyc_b; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.cyc_b (
    id integer NOT NULL,
    a_id integer NOT NULL
);


ALTER TABLE public.cyc_b OWNER TO postgres;

--
-- Name: event; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.event (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL
)
PARTITION BY RANGE (at);


ALTER TABLE public.event OWNER TO postgres;

--
-- Name: event_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER SEQUENCE public.event_id_seq OWNER TO postgres;

--
-- Name: event_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.event_id_seq OWNED BY public.event.id;


--
-- Name: event_1; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.event_1 (
    id bigint DEFAULT nextval('public.event_id_seq'::regclass) CONSTRAINT event_id_not_null NOT NULL,
    at timestamp with time zone CONSTRAINT event_at_not_null NOT NULL,
    kind text CONSTRAINT event_kind_not_null NOT NULL
);


ALTER TABLE public.event_1 OWNER TO postgres;

--
-- Name: event_2; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.event_2 (
    id bigint DEFAULT nextval('public.event_id_seq'::regclass) CONSTRAINT event_id_not_null NOT NULL,
    at timestamp with time zone CONSTRAINT event_at_not_null NOT NULL,
    kind text CONSTRAINT event_kind_not_null NOT NULL
);


ALTER TABLE public.event_2 OWNER TO postgres;

--
-- Name: event_ref; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.event_ref (
    id integer NOT NULL,
    event_id bigint,
    event_at timestamp with time zone
);


ALTER TABLE public.event_ref OWNER TO postgres;

--
-- Name: friendship; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.friendship (
    a bigint NOT NULL,
    b bigint NOT NULL,
    CONSTRAINT friendship_check CHECK ((a < b))
);


ALTER TABLE public.friendship OWNER TO postgres;

--
-- Name: impossible; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.impossible (
    id integer NOT NULL,
    a integer NOT NULL,
    b integer NOT NULL,
    CONSTRAINT impossible_check CHECK (((a > b) AND (b > a)))
);


ALTER TABLE public.impossible OWNER TO postgres;

--
-- Name: kinds; Type: MATERIALIZED VIEW; Schema: public; Owner: postgres
--

CREATE MATERIALIZED VIEW public.kinds AS
 SELECT kind,
    count(*) AS count
   FROM public.event
  GROUP BY kind
  WITH NO DATA;


ALTER MATERIALIZED VIEW public.kinds OWNER TO postgres;

--
-- Name: member; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.member (
    tenant_id integer NOT NULL,
    id integer NOT NULL
);


ALTER TABLE public.member OWNER TO postgres;

--
-- Name: nnd; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.nnd (
    id integer NOT NULL,
    lat double precision,
    lng double precision,
    ip inet NOT NULL,
    day date NOT NULL,
    month date NOT NULL,
    CONSTRAINT nnd_day_check CHECK ((EXTRACT(isodow FROM day) < (6)::numeric)),
    CONSTRAINT nnd_ip_check CHECK ((family(ip) = 4)),
    CONSTRAINT nnd_lat_check CHECK (((lat >= ('-90'::integer)::double precision) AND (lat <= (90)::double precision))),
    CONSTRAINT nnd_lng_check CHECK (((lng >= ('-180'::integer)::double precision) AND (lng <= (180)::double precision))),
    CONSTRAINT nnd_month_check CHECK ((month = date_trunc('month'::text, (month)::timestamp with time zone)))
);


ALTER TABLE public.nnd OWNER TO postgres;

--
-- Name: notes; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.notes (
    id integer,
    v text
);


ALTER TABLE public.notes OWNER TO postgres;

--
-- Name: numpart; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.numpart (
    id bigint NOT NULL,
    x integer
)
PARTITION BY RANGE (id);


ALTER TABLE public.numpart OWNER TO postgres;

--
-- Name: numpart_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.numpart_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER SEQUENCE public.numpart_id_seq OWNER TO postgres;

--
-- Name: numpart_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.numpart_id_seq OWNED BY public.numpart.id;


--
-- Name: numpart_a; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.numpart_a (
    id bigint DEFAULT nextval('public.numpart_id_seq'::regclass) CONSTRAINT numpart_id_not_null NOT NULL,
    x integer
);


ALTER TABLE public.numpart_a OWNER TO postgres;

--
-- Name: numpart_b; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.numpart_b (
    id bigint DEFAULT nextval('public.numpart_id_seq'::regclass) CONSTRAINT numpart_id_not_null NOT NULL,
    x integer
);


ALTER TABLE public.numpart_b OWNER TO postgres;

--
-- Name: order_line; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.order_line (
    order_id integer NOT NULL,
    product_id uuid NOT NULL,
    qty smallint NOT NULL,
    CONSTRAINT order_line_qty_check CHECK (((qty > 0) AND (((qty)::integer % 2) = 0)))
);


ALTER TABLE public.order_line OWNER TO postgres;

--
-- Name: product; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.product (
    id uuid NOT NULL,
    sku text NOT NULL,
    price numeric(10,2) NOT NULL,
    discount numeric(10,2),
    status text NOT NULL,
    published_at timestamp with time zone,
    attrs jsonb NOT NULL,
    tags text[],
    country character(2),
    CONSTRAINT product_attrs_check CHECK (((jsonb_typeof(attrs) = 'object'::text) AND (attrs ? 'color'::text))),
    CONSTRAINT product_check CHECK (((discount >= (0)::numeric) AND (discount < price))),
    CONSTRAINT product_check1 CHECK ((((status = 'draft'::text) AND (published_at IS NULL)) OR ((status <> 'draft'::text) AND (published_at IS NOT NULL)))),
    CONSTRAINT product_price_check CHECK ((price > (0)::numeric)),
    CONSTRAINT product_sku_check CHECK ((length(sku) = 10)),
    CONSTRAINT product_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'live'::text, 'gone'::text]))),
    CONSTRAINT product_tags_check CHECK ((cardinality(tags) <= 3))
);


ALTER TABLE public.product OWNER TO postgres;

--
-- Name: profile; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.profile (
    customer_id bigint NOT NULL,
    bio character varying(20),
    settings json,
    CONSTRAINT profile_bio_check CHECK ((char_length((bio)::text) >= 5))
);


ALTER TABLE public.profile OWNER TO postgres;

--
-- Name: profile_photo; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.profile_photo (
    customer_id bigint NOT NULL,
    url text NOT NULL,
    CONSTRAINT profile_photo_url_check CHECK ((url ~* '^https?://'::text))
);


ALTER TABLE public.profile_photo OWNER TO postgres;

--
-- Name: project; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.project (
    tenant_id integer NOT NULL,
    id integer NOT NULL
);


ALTER TABLE public.project OWNER TO postgres;

--
-- Name: reg; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.reg (
    region text NOT NULL,
    id integer NOT NULL
)
PARTITION BY LIST (region);


ALTER TABLE public.reg OWNER TO postgres;

--
-- Name: reg_a; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.reg_a (
    region text CONSTRAINT reg_region_not_null NOT NULL,
    id integer CONSTRAINT reg_id_not_null NOT NULL
)
PARTITION BY HASH (id);


ALTER TABLE public.reg_a OWNER TO postgres;

--
-- Name: reg_a0; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.reg_a0 (
    region text CONSTRAINT reg_region_not_null NOT NULL,
    id integer CONSTRAINT reg_id_not_null NOT NULL
);


ALTER TABLE public.reg_a0 OWNER TO postgres;

--
-- Name: reg_a1; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.reg_a1 (
    region text CONSTRAINT reg_region_not_null NOT NULL,
    id integer CONSTRAINT reg_id_not_null NOT NULL
);


ALTER TABLE public.reg_a1 OWNER TO postgres;

--
-- Name: reg_d; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.reg_d (
    region text CONSTRAINT reg_region_not_null NOT NULL,
    id integer CONSTRAINT reg_id_not_null NOT NULL
);


ALTER TABLE public.reg_d OWNER TO postgres;

--
-- Name: reservation; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.reservation (
    id integer NOT NULL,
    room integer NOT NULL,
    during tstzrange NOT NULL,
    CONSTRAINT reservation_during_check CHECK ((NOT isempty(during)))
);


ALTER TABLE public.reservation OWNER TO postgres;

--
-- Name: shift; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.shift (
    id integer NOT NULL,
    worker integer NOT NULL,
    starts_at timestamp without time zone NOT NULL,
    ends_at timestamp without time zone NOT NULL,
    CONSTRAINT shift_check CHECK ((starts_at < ends_at))
);


ALTER TABLE public.shift OWNER TO postgres;

--
-- Name: singleton; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.singleton (
    id integer DEFAULT 1 NOT NULL,
    v text NOT NULL,
    CONSTRAINT singleton_id_check CHECK ((id = 1))
);


ALTER TABLE public.singleton OWNER TO postgres;

--
-- Name: tenant; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.tenant (
    id integer NOT NULL,
    slug text
);


ALTER TABLE public.tenant OWNER TO postgres;

--
-- Name: tenant_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.tenant_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER SEQUENCE public.tenant_id_seq OWNER TO postgres;

--
-- Name: tenant_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.tenant_id_seq OWNED BY public.tenant.id;


--
-- Name: event_1; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_1 FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2024-02-01 00:00:00+00');


--
-- Name: event_2; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_2 FOR VALUES FROM ('2024-02-01 00:00:00+00') TO ('2024-03-01 00:00:00+00');


--
-- Name: numpart_a; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.numpart ATTACH PARTITION public.numpart_a FOR VALUES FROM ('1000') TO ('2000');


--
-- Name: numpart_b; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.numpart ATTACH PARTITION public.numpart_b FOR VALUES FROM ('5000') TO ('9000');


--
-- Name: reg_a; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.reg ATTACH PARTITION public.reg_a FOR VALUES IN ('eu', 'us');


--
-- Name: reg_a0; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.reg_a ATTACH PARTITION public.reg_a0 FOR VALUES WITH (modulus 2, remainder 0);


--
-- Name: reg_a1; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.reg_a ATTACH PARTITION public.reg_a1 FOR VALUES WITH (modulus 2, remainder 1);


--
-- Name: reg_d; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.reg ATTACH PARTITION public.reg_d DEFAULT;


--
-- Name: Order id; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public."Order" ALTER COLUMN id SET DEFAULT nextval('public."Order_id_seq"'::regclass);


--
-- Name: comment id; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.comment ALTER COLUMN id SET DEFAULT nextval('public.comment_id_seq'::regclass);


--
-- Name: event id; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.event ALTER COLUMN id SET DEFAULT nextval('public.event_id_seq'::regclass);


--
-- Name: numpart id; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.numpart ALTER COLUMN id SET DEFAULT nextval('public.numpart_id_seq'::regclass);


--
-- Name: tenant id; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.tenant ALTER COLUMN id SET DEFAULT nextval('public.tenant_id_seq'::regclass);


--
-- Data for Name: Order; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public."Order" (id, customer_id, number, state, paid_at, net, vat) FROM stdin;
1	1	1	paid	2024-05-05	1.00	0.19
2	2	1	paid	2024-05-05	2.00	0.19
3	3	1	paid	2024-05-05	3.00	0.19
4	4	1	paid	2024-05-05	4.00	0.19
5	5	1	paid	2024-05-05	5.00	0.19
6	6	1	paid	2024-05-05	6.00	0.19
7	7	1	paid	2024-05-05	7.00	0.19
8	8	1	paid	2024-05-05	8.00	0.19
9	9	1	paid	2024-05-05	9.00	0.19
10	10	1	paid	2024-05-05	10.00	0.19
11	11	1	paid	2024-05-05	11.00	0.19
12	12	1	paid	2024-05-05	12.00	0.19
13	13	1	paid	2024-05-05	13.00	0.19
14	14	1	paid	2024-05-05	14.00	0.19
15	15	1	paid	2024-05-05	15.00	0.19
16	16	1	paid	2024-05-05	16.00	0.19
17	17	1	paid	2024-05-05	17.00	0.19
18	18	1	paid	2024-05-05	18.00	0.19
19	19	1	paid	2024-05-05	19.00	0.19
20	20	1	paid	2024-05-05	20.00	0.19
21	21	1	paid	2024-05-05	21.00	0.19
22	22	1	paid	2024-05-05	22.00	0.19
23	23	1	paid	2024-05-05	23.00	0.19
24	24	1	paid	2024-05-05	24.00	0.19
25	25	1	paid	2024-05-05	25.00	0.19
26	26	1	paid	2024-05-05	26.00	0.19
27	27	1	paid	2024-05-05	27.00	0.19
28	28	1	paid	2024-05-05	28.00	0.19
29	29	1	paid	2024-05-05	29.00	0.19
30	30	1	paid	2024-05-05	30.00	0.19
31	31	1	paid	2024-05-05	31.00	0.19
32	32	1	paid	2024-05-05	32.00	0.19
33	33	1	paid	2024-05-05	33.00	0.19
34	34	1	paid	2024-05-05	34.00	0.19
35	35	1	paid	2024-05-05	35.00	0.19
36	36	1	paid	2024-05-05	36.00	0.19
37	37	1	paid	2024-05-05	37.00	0.19
38	38	1	paid	2024-05-05	38.00	0.19
39	39	1	paid	2024-05-05	39.00	0.19
40	40	1	paid	2024-05-05	40.00	0.19
41	41	1	paid	2024-05-05	41.00	0.19
42	42	1	paid	2024-05-05	42.00	0.19
43	43	1	paid	2024-05-05	43.00	0.19
44	44	1	paid	2024-05-05	44.00	0.19
45	45	1	paid	2024-05-05	45.00	0.19
46	46	1	paid	2024-05-05	46.00	0.19
47	47	1	paid	2024-05-05	47.00	0.19
48	48	1	paid	2024-05-05	48.00	0.19
49	49	1	paid	2024-05-05	49.00	0.19
50	50	1	paid	2024-05-05	50.00	0.19
\.


--
-- Data for Name: account; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.account (id, owner_id, org, iban, is_default, balance) FROM stdin;
\.


--
-- Data for Name: assignment; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.assignment (id, tenant_id, project_id, member_id) FROM stdin;
\.


--
-- Data for Name: category; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.category (id, parent_id, slug) FROM stdin;
\.


--
-- Data for Name: comment; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.comment (id, product_id, order_id, body) FROM stdin;
\.


--
-- Data for Name: country; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.country (code, name) FROM stdin;
DE	Germany
FR	France
\.


--
-- Data for Name: customer; Type: TABLE DATA; Schema: public; Owner: dump_owner
--

COPY public.customer (id, email, name, code, age, created_at, updated_at, referrer_id) FROM stdin;
1	u1@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0001	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
2	u2@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0002	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
3	u3@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0003	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
4	u4@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0004	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
5	u5@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0005	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
6	u6@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0006	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
9	u9@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0009	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
10	u10@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0010	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
11	u11@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0011	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
12	u12@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0012	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
13	u13@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0013	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
14	u14@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0014	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
15	u15@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0015	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
16	u16@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0016	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
17	u17@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0017	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
18	u18@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0018	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
19	u19@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0019	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
20	u20@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0020	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
21	u21@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0021	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
22	u22@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0022	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
23	u23@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0023	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
24	u24@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0024	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
25	u25@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0025	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
26	u26@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0026	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
27	u27@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0027	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
28	u28@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0028	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
29	u29@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0029	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
30	u30@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0030	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
31	u31@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0031	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
32	u32@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0032	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
33	u33@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0033	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
34	u34@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0034	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
35	u35@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0035	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
36	u36@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0036	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
37	u37@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0037	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
38	u38@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0038	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
39	u39@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0039	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
40	u40@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0040	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
7	u7@example.org	\\.	ABC-0007	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
8	u8@example.org		ABC-0008	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	\N
41	u41@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0041	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	40
42	u42@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0042	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	41
43	u43@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0043	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	42
44	u44@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0044	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	43
45	u45@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0045	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	44
46	u46@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0046	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	45
47	u47@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0047	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	46
48	u48@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0048	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	47
49	u49@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0049	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	48
50	u50@example.org	O'Neil \t\\N "quoted" \nä ; $$ \\.	ABC-0050	\N	2024-01-01 00:00:00+00	2024-01-02 00:00:00+00	49
\.


--
-- Data for Name: cyc_a; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.cyc_a (id, b_id) FROM stdin;
\.


--
-- Data for Name: cyc_b; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.cyc_b (id, a_id) FROM stdin;
\.


--
-- Data for Name: event_1; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.event_1 (id, at, kind) FROM stdin;
1	2024-01-02 00:00:00+00	k
2	2024-01-03 00:00:00+00	k
3	2024-01-04 00:00:00+00	k
4	2024-01-05 00:00:00+00	k
5	2024-01-06 00:00:00+00	k
6	2024-01-07 00:00:00+00	k
7	2024-01-08 00:00:00+00	k
8	2024-01-09 00:00:00+00	k
9	2024-01-10 00:00:00+00	k
10	2024-01-11 00:00:00+00	k
11	2024-01-12 00:00:00+00	k
12	2024-01-13 00:00:00+00	k
13	2024-01-14 00:00:00+00	k
14	2024-01-15 00:00:00+00	k
15	2024-01-16 00:00:00+00	k
16	2024-01-17 00:00:00+00	k
17	2024-01-18 00:00:00+00	k
18	2024-01-19 00:00:00+00	k
19	2024-01-20 00:00:00+00	k
20	2024-01-21 00:00:00+00	k
21	2024-01-22 00:00:00+00	k
22	2024-01-23 00:00:00+00	k
23	2024-01-24 00:00:00+00	k
24	2024-01-25 00:00:00+00	k
25	2024-01-26 00:00:00+00	k
26	2024-01-27 00:00:00+00	k
27	2024-01-28 00:00:00+00	k
28	2024-01-29 00:00:00+00	k
29	2024-01-30 00:00:00+00	k
30	2024-01-31 00:00:00+00	k
\.


--
-- Data for Name: event_2; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.event_2 (id, at, kind) FROM stdin;
31	2024-02-01 00:00:00+00	k
32	2024-02-02 00:00:00+00	k
33	2024-02-03 00:00:00+00	k
34	2024-02-04 00:00:00+00	k
35	2024-02-05 00:00:00+00	k
36	2024-02-06 00:00:00+00	k
37	2024-02-07 00:00:00+00	k
38	2024-02-08 00:00:00+00	k
39	2024-02-09 00:00:00+00	k
40	2024-02-10 00:00:00+00	k
41	2024-02-11 00:00:00+00	k
42	2024-02-12 00:00:00+00	k
43	2024-02-13 00:00:00+00	k
44	2024-02-14 00:00:00+00	k
45	2024-02-15 00:00:00+00	k
46	2024-02-16 00:00:00+00	k
47	2024-02-17 00:00:00+00	k
48	2024-02-18 00:00:00+00	k
49	2024-02-19 00:00:00+00	k
50	2024-02-20 00:00:00+00	k
\.


--
-- Data for Name: event_ref; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.event_ref (id, event_id, event_at) FROM stdin;
1	1	2024-01-02 00:00:00+00
2	2	2024-01-03 00:00:00+00
3	3	2024-01-04 00:00:00+00
4	4	2024-01-05 00:00:00+00
5	5	2024-01-06 00:00:00+00
6	6	2024-01-07 00:00:00+00
7	7	2024-01-08 00:00:00+00
8	8	2024-01-09 00:00:00+00
9	9	2024-01-10 00:00:00+00
10	10	2024-01-11 00:00:00+00
11	11	2024-01-12 00:00:00+00
12	12	2024-01-13 00:00:00+00
13	13	2024-01-14 00:00:00+00
14	14	2024-01-15 00:00:00+00
15	15	2024-01-16 00:00:00+00
16	16	2024-01-17 00:00:00+00
17	17	2024-01-18 00:00:00+00
18	18	2024-01-19 00:00:00+00
19	19	2024-01-20 00:00:00+00
20	20	2024-01-21 00:00:00+00
21	21	2024-01-22 00:00:00+00
22	22	2024-01-23 00:00:00+00
23	23	2024-01-24 00:00:00+00
24	24	2024-01-25 00:00:00+00
25	25	2024-01-26 00:00:00+00
26	26	2024-01-27 00:00:00+00
27	27	2024-01-28 00:00:00+00
28	28	2024-01-29 00:00:00+00
29	29	2024-01-30 00:00:00+00
30	30	2024-01-31 00:00:00+00
31	31	2024-02-01 00:00:00+00
32	32	2024-02-02 00:00:00+00
33	33	2024-02-03 00:00:00+00
34	34	2024-02-04 00:00:00+00
35	35	2024-02-05 00:00:00+00
36	36	2024-02-06 00:00:00+00
37	37	2024-02-07 00:00:00+00
38	38	2024-02-08 00:00:00+00
39	39	2024-02-09 00:00:00+00
40	40	2024-02-10 00:00:00+00
41	41	2024-02-11 00:00:00+00
42	42	2024-02-12 00:00:00+00
43	43	2024-02-13 00:00:00+00
44	44	2024-02-14 00:00:00+00
45	45	2024-02-15 00:00:00+00
46	46	2024-02-16 00:00:00+00
47	47	2024-02-17 00:00:00+00
48	48	2024-02-18 00:00:00+00
49	49	2024-02-19 00:00:00+00
50	50	2024-02-20 00:00:00+00
\.


--
-- Data for Name: friendship; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.friendship (a, b) FROM stdin;
\.


--
-- Data for Name: impossible; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.impossible (id, a, b) FROM stdin;
\.


--
-- Data for Name: member; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.member (tenant_id, id) FROM stdin;
\.


--
-- Data for Name: nnd; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.nnd (id, lat, lng, ip, day, month) FROM stdin;
1	1.5	-2.25	10.0.0.1	2024-05-06	2024-05-01
\.


--
-- Data for Name: notes; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.notes (id, v) FROM stdin;
\.


--
-- Data for Name: numpart_a; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.numpart_a (id, x) FROM stdin;
\.


--
-- Data for Name: numpart_b; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.numpart_b (id, x) FROM stdin;
\.


--
-- Data for Name: order_line; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.order_line (order_id, product_id, qty) FROM stdin;
\.


--
-- Data for Name: product; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.product (id, sku, price, discount, status, published_at, attrs, tags, country) FROM stdin;
\.


--
-- Data for Name: profile; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.profile (customer_id, bio, settings) FROM stdin;
\.


--
-- Data for Name: profile_photo; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.profile_photo (customer_id, url) FROM stdin;
\.


--
-- Data for Name: project; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.project (tenant_id, id) FROM stdin;
\.


--
-- Data for Name: reg_a0; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.reg_a0 (region, id) FROM stdin;
us	1
eu	12
us	13
us	16
eu	18
us	25
eu	27
us	28
eu	30
\.


--
-- Data for Name: reg_a1; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.reg_a1 (region, id) FROM stdin;
eu	3
us	4
eu	6
us	7
eu	9
us	10
eu	15
us	19
eu	21
us	22
eu	24
\.


--
-- Data for Name: reg_d; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.reg_d (region, id) FROM stdin;
jp	2
jp	5
jp	8
jp	11
jp	14
jp	17
jp	20
jp	23
jp	26
jp	29
\.


--
-- Data for Name: reservation; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.reservation (id, room, during) FROM stdin;
\.


--
-- Data for Name: shift; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.shift (id, worker, starts_at, ends_at) FROM stdin;
\.


--
-- Data for Name: singleton; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.singleton (id, v) FROM stdin;
\.


--
-- Data for Name: tenant; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.tenant (id, slug) FROM stdin;
\.


--
-- Name: Order_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public."Order_id_seq"', 50, true);


--
-- Name: comment_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.comment_id_seq', 1, false);


--
-- Name: customer_id_seq; Type: SEQUENCE SET; Schema: public; Owner: dump_owner
--

SELECT pg_catalog.setval('public.customer_id_seq', 50, true);


--
-- Name: event_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.event_id_seq', 50, true);


--
-- Name: numpart_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.numpart_id_seq', 1, false);


--
-- Name: tenant_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.tenant_id_seq', 1, false);


--
-- Name: 17597; Type: BLOB METADATA; Schema: -; Owner: postgres
--

SELECT pg_catalog.lo_create('17597');

ALTER LARGE OBJECT 17597 OWNER TO postgres;

--
-- Data for Name: 17597; Type: BLOBS; Schema: -; Owner: postgres
--

BEGIN;

SELECT pg_catalog.lo_open('17597', 131072);
SELECT pg_catalog.lowrite(0, '\x00ff');
SELECT pg_catalog.lo_close(0);

COMMIT;

--
-- Name: Order Order_customer_id_number_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public."Order"
    ADD CONSTRAINT "Order_customer_id_number_key" UNIQUE (customer_id, number);


--
-- Name: Order Order_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public."Order"
    ADD CONSTRAINT "Order_pkey" PRIMARY KEY (id);


--
-- Name: account account_iban_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_iban_key UNIQUE (iban);


--
-- Name: account account_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);


--
-- Name: assignment assignment_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.assignment
    ADD CONSTRAINT assignment_pkey PRIMARY KEY (id);


--
-- Name: category category_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.category
    ADD CONSTRAINT category_pkey PRIMARY KEY (id);


--
-- Name: category category_slug_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.category
    ADD CONSTRAINT category_slug_key UNIQUE (slug);


--
-- Name: comment comment_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.comment
    ADD CONSTRAINT comment_pkey PRIMARY KEY (id);


--
-- Name: country country_name_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.country
    ADD CONSTRAINT country_name_key UNIQUE (name);


--
-- Name: country country_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.country
    ADD CONSTRAINT country_pkey PRIMARY KEY (code);


--
-- Name: customer customer_code_key; Type: CONSTRAINT; Schema: public; Owner: dump_owner
--

ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_code_key UNIQUE (code);


--
-- Name: customer customer_pkey; Type: CONSTRAINT; Schema: public; Owner: dump_owner
--

ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (id);


--
-- Name: cyc_a cyc_a_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.cyc_a
    ADD CONSTRAINT cyc_a_pkey PRIMARY KEY (id);


--
-- Name: cyc_b cyc_b_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.cyc_b
    ADD CONSTRAINT cyc_b_pkey PRIMARY KEY (id);


--
-- Name: event event_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (id, at);


--
-- Name: event_1 event_1_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.event_1
    ADD CONSTRAINT event_1_pkey PRIMARY KEY (id, at);


--
-- Name: event_2 event_2_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.event_2
    ADD CONSTRAINT event_2_pkey PRIMARY KEY (id, at);


--
-- Name: event_ref event_ref_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.event_ref
    ADD CONSTRAINT event_ref_pkey PRIMARY KEY (id);


--
-- Name: friendship friendship_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.friendship
    ADD CONSTRAINT friendship_pkey PRIMARY KEY (a, b);


--
-- Name: impossible impossible_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.impossible
    ADD CONSTRAINT impossible_pkey PRIMARY KEY (id);


--
-- Name: member member_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.member
    ADD CONSTRAINT member_pkey PRIMARY KEY (tenant_id, id);


--
-- Name: nnd nnd_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.nnd
    ADD CONSTRAINT nnd_pkey PRIMARY KEY (id);


--
-- Name: notes notes_v_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.notes
    ADD CONSTRAINT notes_v_key UNIQUE (v);


--
-- Name: numpart numpart_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.numpart
    ADD CONSTRAINT numpart_pkey PRIMARY KEY (id);


--
-- Name: numpart_a numpart_a_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.numpart_a
    ADD CONSTRAINT numpart_a_pkey PRIMARY KEY (id);


--
-- Name: numpart_b numpart_b_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.numpart_b
    ADD CONSTRAINT numpart_b_pkey PRIMARY KEY (id);


--
-- Name: order_line order_line_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.order_line
    ADD CONSTRAINT order_line_pkey PRIMARY KEY (order_id, product_id);


--
-- Name: product product_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.product
    ADD CONSTRAINT product_pkey PRIMARY KEY (id);


--
-- Name: product product_sku_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.product
    ADD CONSTRAINT product_sku_key UNIQUE (sku);


--
-- Name: profile_photo profile_photo_customer_id_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.profile_photo
    ADD CONSTRAINT profile_photo_customer_id_key UNIQUE (customer_id);


--
-- Name: profile profile_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.profile
    ADD CONSTRAINT profile_pkey PRIMARY KEY (customer_id);


--
-- Name: project project_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.project
    ADD CONSTRAINT project_pkey PRIMARY KEY (tenant_id, id);


--
-- Name: reg reg_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.reg
    ADD CONSTRAINT reg_pkey PRIMARY KEY (region, id);


--
-- Name: reg_a reg_a_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.reg_a
    ADD CONSTRAINT reg_a_pkey PRIMARY KEY (region, id);


--
-- Name: reg_a0 reg_a0_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.reg_a0
    ADD CONSTRAINT reg_a0_pkey PRIMARY KEY (region, id);


--
-- Name: reg_a1 reg_a1_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.reg_a1
    ADD CONSTRAINT reg_a1_pkey PRIMARY KEY (region, id);


--
-- Name: reg_d reg_d_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.reg_d
    ADD CONSTRAINT reg_d_pkey PRIMARY KEY (region, id);


--
-- Name: reservation reservation_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.reservation
    ADD CONSTRAINT reservation_pkey PRIMARY KEY (id);


--
-- Name: reservation reservation_room_during_excl; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.reservation
    ADD CONSTRAINT reservation_room_during_excl EXCLUDE USING gist (room WITH =, during WITH &&);


--
-- Name: shift shift_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.shift
    ADD CONSTRAINT shift_pkey PRIMARY KEY (id);


--
-- Name: shift shift_worker_tsrange_excl; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.shift
    ADD CONSTRAINT shift_worker_tsrange_excl EXCLUDE USING gist (worker WITH =, tsrange(starts_at, ends_at) WITH &&);


--
-- Name: singleton singleton_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.singleton
    ADD CONSTRAINT singleton_pkey PRIMARY KEY (id);


--
-- Name: tenant tenant_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.tenant
    ADD CONSTRAINT tenant_pkey PRIMARY KEY (id);


--
-- Name: tenant tenant_slug_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.tenant
    ADD CONSTRAINT tenant_slug_key UNIQUE (slug);


--
-- Name: customer_lower_idx; Type: INDEX; Schema: public; Owner: dump_owner
--

CREATE UNIQUE INDEX customer_lower_idx ON public.customer USING btree (lower((email)::text));


--
-- Name: one_default; Type: INDEX; Schema: public; Owner: postgres
--

CREATE UNIQUE INDEX one_default ON public.account USING btree (owner_id) WHERE is_default;


--
-- Name: one_global; Type: INDEX; Schema: public; Owner: postgres
--

CREATE UNIQUE INDEX one_global ON public.account USING btree ((true)) WHERE (is_default AND (org IS NOT NULL));


--
-- Name: event_1_pkey; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_1_pkey;


--
-- Name: event_2_pkey; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_2_pkey;


--
-- Name: numpart_a_pkey; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.numpart_pkey ATTACH PARTITION public.numpart_a_pkey;


--
-- Name: numpart_b_pkey; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.numpart_pkey ATTACH PARTITION public.numpart_b_pkey;


--
-- Name: reg_a0_pkey; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.reg_a_pkey ATTACH PARTITION public.reg_a0_pkey;


--
-- Name: reg_a1_pkey; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.reg_a_pkey ATTACH PARTITION public.reg_a1_pkey;


--
-- Name: reg_a_pkey; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.reg_pkey ATTACH PARTITION public.reg_a_pkey;


--
-- Name: reg_d_pkey; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.reg_pkey ATTACH PARTITION public.reg_d_pkey;


--
-- Name: customer note; Type: TRIGGER; Schema: public; Owner: dump_owner
--

CREATE TRIGGER note BEFORE DELETE ON public.customer FOR EACH ROW EXECUTE FUNCTION audit.note();


--
-- Name: Order Order_customer_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public."Order"
    ADD CONSTRAINT "Order_customer_id_fkey" FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE CASCADE;


--
-- Name: account account_owner_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES public.customer(id);


--
-- Name: assignment assignment_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.assignment
    ADD CONSTRAINT assignment_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);


--
-- Name: assignment assignment_tenant_id_member_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.assignment
    ADD CONSTRAINT assignment_tenant_id_member_id_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES public.member(tenant_id, id);


--
-- Name: assignment assignment_tenant_id_project_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.assignment
    ADD CONSTRAINT assignment_tenant_id_project_id_fkey FOREIGN KEY (tenant_id, project_id) REFERENCES public.project(tenant_id, id);


--
-- Name: category category_parent_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.category
    ADD CONSTRAINT category_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES public.category(id);


--
-- Name: comment comment_order_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.comment
    ADD CONSTRAINT comment_order_id_fkey FOREIGN KEY (order_id) REFERENCES public."Order"(id);


--
-- Name: comment comment_product_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.comment
    ADD CONSTRAINT comment_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(id);


--
-- Name: customer customer_referrer_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: dump_owner
--

ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_referrer_id_fkey FOREIGN KEY (referrer_id) REFERENCES public.customer(id);


--
-- Name: cyc_a cyc_a_b_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.cyc_a
    ADD CONSTRAINT cyc_a_b_id_fkey FOREIGN KEY (b_id) REFERENCES public.cyc_b(id);


--
-- Name: cyc_b cyc_b_a_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.cyc_b
    ADD CONSTRAINT cyc_b_a_id_fkey FOREIGN KEY (a_id) REFERENCES public.cyc_a(id);


--
-- Name: event_ref event_ref_event_id_event_at_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.event_ref
    ADD CONSTRAINT event_ref_event_id_event_at_fkey FOREIGN KEY (event_id, event_at) REFERENCES public.event(id, at) MATCH FULL;


--
-- Name: friendship friendship_a_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.friendship
    ADD CONSTRAINT friendship_a_fkey FOREIGN KEY (a) REFERENCES public.customer(id);


--
-- Name: friendship friendship_b_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.friendship
    ADD CONSTRAINT friendship_b_fkey FOREIGN KEY (b) REFERENCES public.customer(id);


--
-- Name: member member_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.member
    ADD CONSTRAINT member_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);


--
-- Name: order_line order_line_order_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.order_line
    ADD CONSTRAINT order_line_order_id_fkey FOREIGN KEY (order_id) REFERENCES public."Order"(id);


--
-- Name: order_line order_line_product_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.order_line
    ADD CONSTRAINT order_line_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(id);


--
-- Name: product product_country_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.product
    ADD CONSTRAINT product_country_fkey FOREIGN KEY (country) REFERENCES public.country(code);


--
-- Name: profile profile_customer_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.profile
    ADD CONSTRAINT profile_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id);


--
-- Name: profile_photo profile_photo_customer_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.profile_photo
    ADD CONSTRAINT profile_photo_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.profile(customer_id);


--
-- Name: project project_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.project
    ADD CONSTRAINT project_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);


--
-- Name: customer; Type: ROW SECURITY; Schema: public; Owner: dump_owner
--

ALTER TABLE public.customer ENABLE ROW LEVEL SECURITY;

--
-- Name: customer own; Type: POLICY; Schema: public; Owner: dump_owner
--

CREATE POLICY own ON public.customer FOR SELECT TO dump_reader USING ((referrer_id IS NULL));


--
-- Name: DATABASE shop; Type: ACL; Schema: -; Owner: postgres
--

GRANT CONNECT ON DATABASE shop TO dump_reader;


--
-- Name: COLUMN country.code; Type: ACL; Schema: public; Owner: postgres
--

GRANT SELECT(code) ON TABLE public.country TO dump_reader WITH GRANT OPTION;


--
-- Name: TABLE customer; Type: ACL; Schema: public; Owner: dump_owner
--

GRANT SELECT ON TABLE public.customer TO dump_reader;


--
-- Name: TABLE customers; Type: ACL; Schema: public; Owner: dump_owner
--

GRANT SELECT ON TABLE public.customers TO dump_reader;


--
-- Name: DEFAULT PRIVILEGES FOR TABLES; Type: DEFAULT ACL; Schema: public; Owner: dump_owner
--

ALTER DEFAULT PRIVILEGES FOR ROLE dump_owner IN SCHEMA public GRANT SELECT ON TABLES TO dump_reader;


--
-- Name: kinds; Type: MATERIALIZED VIEW DATA; Schema: public; Owner: postgres
--

REFRESH MATERIALIZED VIEW public.kinds;


--
-- PostgreSQL database dump complete
--

\unrestrict uRsXnfiZvrZZoQMXu2oCoeBvnZWmfdppn1wr14iEoFgRyieg4apqQEX4V3yJbTp

