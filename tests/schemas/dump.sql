--
-- PostgreSQL database dump
--

\restrict 2K4j4zCePa4aTa2lgL3bdWWZaQof3dkaVtgEeyWsSvwH0RBgVRVTAbrdrQ78wMk

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: app; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA app;


ALTER SCHEMA app OWNER TO postgres;

--
-- Name: SCHEMA app; Type: COMMENT; Schema: -; Owner: postgres
--

COMMENT ON SCHEMA app IS 'Policies, claims and payments';


--
-- Name: audit; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA audit;


ALTER SCHEMA audit OWNER TO postgres;

--
-- Name: SCHEMA audit; Type: COMMENT; Schema: -; Owner: postgres
--

COMMENT ON SCHEMA audit IS 'Append-only; written by triggers';


--
-- Name: ref; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA ref;


ALTER SCHEMA ref OWNER TO postgres;

--
-- Name: numeric_order; Type: COLLATION; Schema: ref; Owner: postgres
--

CREATE COLLATION ref.numeric_order (provider = icu, locale = 'en-u-kn-true');


ALTER COLLATION ref.numeric_order OWNER TO postgres;

--
-- Name: btree_gist; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;


--
-- Name: EXTENSION btree_gist; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION btree_gist IS 'support for indexing common datatypes in GiST';


--
-- Name: citext; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;


--
-- Name: EXTENSION citext; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION citext IS 'data type for case-insensitive character strings';


--
-- Name: pgcrypto; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public;


--
-- Name: EXTENSION pgcrypto; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION pgcrypto IS 'cryptographic functions';


--
-- Name: cents_range; Type: TYPE; Schema: app; Owner: postgres
--

CREATE TYPE app.cents_range AS RANGE (
    subtype = bigint,
    multirange_type_name = app.cents_multirange
);


ALTER TYPE app.cents_range OWNER TO postgres;

--
-- Name: claim_state; Type: TYPE; Schema: app; Owner: postgres
--

CREATE TYPE app.claim_state AS ENUM (
    'reported',
    'assessing',
    'approved',
    'rejected',
    'paid',
    'closed'
);


ALTER TYPE app.claim_state OWNER TO postgres;

--
-- Name: TYPE claim_state; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON TYPE app.claim_state IS 'reported → assessing → approved | rejected → paid → closed';


--
-- Name: email; Type: DOMAIN; Schema: app; Owner: postgres
--

CREATE DOMAIN app.email AS public.citext
	CONSTRAINT email_check CHECK ((VALUE OPERATOR(public.~) '^[^@[:space:]]+@[^@[:space:]]+\.[a-z]{2,}$'::public.citext));


ALTER DOMAIN app.email OWNER TO postgres;

--
-- Name: fraction; Type: DOMAIN; Schema: app; Owner: postgres
--

CREATE DOMAIN app.fraction AS numeric(6,5) NOT NULL DEFAULT 0
	CONSTRAINT fraction_check CHECK (((VALUE >= (0)::numeric) AND (VALUE <= (1)::numeric)));


ALTER DOMAIN app.fraction OWNER TO postgres;

--
-- Name: geo_point; Type: TYPE; Schema: app; Owner: postgres
--

CREATE TYPE app.geo_point AS (
	lat double precision,
	lon double precision
);


ALTER TYPE app.geo_point OWNER TO postgres;

--
-- Name: iban_ok(text); Type: FUNCTION; Schema: ref; Owner: postgres
--

CREATE FUNCTION ref.iban_ok(iban text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
DECLARE
  moved text; r int := 0; c text; v int;
BEGIN
  IF iban !~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$' THEN RETURN false; END IF;
  moved := substr(iban, 5) || substr(iban, 1, 4);
  FOREACH c IN ARRAY string_to_array(moved, NULL) LOOP
    IF c ~ '[0-9]' THEN r := (r * 10 + c::int) % 97;
    ELSE v := ascii(c) - 55; r := (r * 100 + v) % 97; END IF;
  END LOOP;
  RETURN r = 1;
END $_$;


ALTER FUNCTION ref.iban_ok(iban text) OWNER TO postgres;

--
-- Name: iban; Type: DOMAIN; Schema: app; Owner: postgres
--

CREATE DOMAIN app.iban AS character varying(34)
	CONSTRAINT iban_checksum CHECK (ref.iban_ok((VALUE)::text));


ALTER DOMAIN app.iban OWNER TO postgres;

--
-- Name: DOMAIN iban; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON DOMAIN app.iban IS 'ISO 13616, without spaces';


--
-- Name: party_kind; Type: TYPE; Schema: app; Owner: postgres
--

CREATE TYPE app.party_kind AS ENUM (
    'person',
    'organisation'
);


ALTER TYPE app.party_kind OWNER TO postgres;

--
-- Name: policy_no; Type: DOMAIN; Schema: app; Owner: postgres
--

CREATE DOMAIN app.policy_no AS text
	CONSTRAINT policy_no_format CHECK ((VALUE ~ '^[A-Z]{2}\d{6}$'::text));


ALTER DOMAIN app.policy_no OWNER TO postgres;

--
-- Name: policy_state; Type: TYPE; Schema: app; Owner: postgres
--

CREATE TYPE app.policy_state AS ENUM (
    'quoted',
    'bound',
    'active',
    'lapsed',
    'cancelled'
);


ALTER TYPE app.policy_state OWNER TO postgres;

--
-- Name: positive_cents; Type: DOMAIN; Schema: app; Owner: postgres
--

CREATE DOMAIN app.positive_cents AS bigint
	CONSTRAINT positive_cents_check CHECK ((VALUE > 0));


ALTER DOMAIN app.positive_cents OWNER TO postgres;

--
-- Name: postal_address; Type: TYPE; Schema: app; Owner: postgres
--

CREATE TYPE app.postal_address AS (
	line1 text,
	line2 text,
	postcode character varying(12),
	city text,
	country character(2)
);


ALTER TYPE app.postal_address OWNER TO postgres;

--
-- Name: short_text; Type: DOMAIN; Schema: app; Owner: postgres
--

CREATE DOMAIN app.short_text AS text
	CONSTRAINT short_text_check CHECK ((length(VALUE) <= 80))
	CONSTRAINT short_text_check1 CHECK ((VALUE = btrim(VALUE)));


ALTER DOMAIN app.short_text OWNER TO postgres;

--
-- Name: title; Type: DOMAIN; Schema: app; Owner: postgres
--

CREATE DOMAIN app.title AS app.short_text
	CONSTRAINT title_check CHECK (((VALUE)::text <> ''::text));


ALTER DOMAIN app.title OWNER TO postgres;

--
-- Name: claim_guard(); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.claim_guard() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE c daterange;
BEGIN
  SELECT cover INTO c FROM app.policy p WHERE p.region = NEW.region AND p.id = NEW.policy_id;
  IF FOUND AND NOT (lower(NEW.occurred) AT TIME ZONE 'UTC')::date <@ c THEN
    RAISE EXCEPTION 'claim % lies outside the cover of policy %/%', NEW.claim_no, NEW.region, NEW.policy_id USING ERRCODE = 'check_violation';
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.state IN ('paid', 'closed') AND NEW.state = 'reported' THEN
    RAISE EXCEPTION 'claim % cannot be reopened', NEW.claim_no;
  END IF;
  RETURN NEW;
END $$;


ALTER FUNCTION app.claim_guard() OWNER TO postgres;

--
-- Name: kind_matches(); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.kind_matches() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM app.party WHERE id = NEW.party_id AND kind = TG_ARGV[0]::app.party_kind) THEN
    RAISE EXCEPTION 'party % is not a %', NEW.party_id, TG_ARGV[0];
  END IF;
  RETURN NEW;
END $$;


ALTER FUNCTION app.kind_matches() OWNER TO postgres;

--
-- Name: set_updated_at(); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;


ALTER FUNCTION app.set_updated_at() OWNER TO postgres;

--
-- Name: write_log(); Type: FUNCTION; Schema: audit; Owner: postgres
--

CREATE FUNCTION audit.write_log() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'audit'
    AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    INSERT INTO audit.log (action, relation, row_data) VALUES ('D', TG_RELID, to_jsonb(OLD));
    RETURN OLD;
  END IF;
  INSERT INTO audit.log (action, relation, row_data) VALUES (left(TG_OP, 1), TG_RELID, to_jsonb(NEW));
  RETURN NEW;
END $$;


ALTER FUNCTION audit.write_log() OWNER TO postgres;

--
-- Name: is_weekday(date); Type: FUNCTION; Schema: ref; Owner: postgres
--

CREATE FUNCTION ref.is_weekday(d date) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT extract(isodow FROM d) < 6 $$;


ALTER FUNCTION ref.is_weekday(d date) OWNER TO postgres;

--
-- Name: luhn_ok(text); Type: FUNCTION; Schema: ref; Owner: postgres
--

CREATE FUNCTION ref.luhn_ok(digits text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
DECLARE
  s int := 0; d int; alt boolean := false;
BEGIN
  IF digits !~ '^[0-9]+$' THEN RETURN false; END IF;
  FOR i IN REVERSE length(digits)..1 LOOP
    d := substr(digits, i, 1)::int;
    IF alt THEN d := d * 2; IF d > 9 THEN d := d - 9; END IF; END IF;
    s := s + d; alt := NOT alt;
  END LOOP;
  RETURN s % 10 = 0;
END $_$;


ALTER FUNCTION ref.luhn_ok(digits text) OWNER TO postgres;

--
-- Name: FUNCTION luhn_ok(digits text); Type: COMMENT; Schema: ref; Owner: postgres
--

COMMENT ON FUNCTION ref.luhn_ok(digits text) IS 'true if the last digit is the right check digit';


SET default_tablespace = '';

--
-- Name: policy; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.policy (
    region text NOT NULL,
    id bigint NOT NULL,
    policy_no app.policy_no NOT NULL,
    line character varying(4) NOT NULL,
    holder_id bigint NOT NULL,
    broker_id bigint,
    state app.policy_state DEFAULT 'quoted'::app.policy_state NOT NULL,
    cover daterange NOT NULL,
    premium numeric(12,2) NOT NULL,
    premium_tax numeric(12,2) DEFAULT 0 NOT NULL,
    premium_gross numeric(13,2) GENERATED ALWAYS AS ((premium + premium_tax)) STORED,
    currency character(3) NOT NULL,
    cancelled_at timestamp with time zone,
    terms jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT policy_cancelled CHECK (((state = 'cancelled'::app.policy_state) = (cancelled_at IS NOT NULL))),
    CONSTRAINT policy_cover_bounded CHECK ((NOT (isempty(cover) OR lower_inf(cover) OR upper_inf(cover)))),
    CONSTRAINT policy_premium_check CHECK ((premium >= (0)::numeric)),
    CONSTRAINT policy_tax_share CHECK (((premium_tax >= (0)::numeric) AND (premium_tax <= premium)))
)
PARTITION BY LIST (region);


ALTER TABLE app.policy OWNER TO postgres;

--
-- Name: TABLE policy; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON TABLE app.policy IS 'One row per policy; "region" is the market, not the residence';


--
-- Name: COLUMN policy.premium; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON COLUMN app.policy.premium IS 'net of insurance premium tax; it''s per year';


--
-- Name: active_policy; Type: VIEW; Schema: app; Owner: postgres
--

CREATE VIEW app.active_policy WITH (security_barrier='true') AS
 SELECT policy.region,
    policy.id,
    policy.policy_no,
    policy.holder_id,
    policy.cover,
    policy.premium_gross
   FROM app.policy
  WHERE ((policy.state = 'active'::app.policy_state) AND (policy.cover @> CURRENT_DATE));


ALTER TABLE app.active_policy OWNER TO postgres;

SET default_table_access_method = heap;

--
-- Name: appointment; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.appointment (
    id bigint NOT NULL,
    claim_id bigint NOT NULL,
    assessor_id integer NOT NULL,
    during tstzrange NOT NULL,
    place app.geo_point,
    cancelled boolean DEFAULT false NOT NULL,
    CONSTRAINT appointment_length CHECK ((((upper(during) - lower(during)) >= '00:15:00'::interval) AND ((upper(during) - lower(during)) <= '04:00:00'::interval)))
);


ALTER TABLE app.appointment OWNER TO postgres;

--
-- Name: appointment_id_seq; Type: SEQUENCE; Schema: app; Owner: postgres
--

ALTER TABLE app.appointment ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME app.appointment_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: bank_account; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.bank_account (
    id integer NOT NULL,
    party_id bigint NOT NULL,
    iban app.iban NOT NULL,
    bic character varying(11),
    valid daterange DEFAULT daterange(CURRENT_DATE, NULL::date) NOT NULL,
    verified boolean DEFAULT false NOT NULL,
    CONSTRAINT bank_account_bic_check CHECK (((bic)::text ~ '^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$'::text))
);

ALTER TABLE ONLY app.bank_account FORCE ROW LEVEL SECURITY;


ALTER TABLE app.bank_account OWNER TO postgres;

--
-- Name: bank_account_id_seq; Type: SEQUENCE; Schema: app; Owner: postgres
--

ALTER TABLE app.bank_account ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME app.bank_account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: broker; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.broker (
    party_id bigint NOT NULL,
    licence text NOT NULL,
    commission app.fraction,
    territories character(2)[] NOT NULL,
    contract xml,
    account_manager integer,
    CONSTRAINT broker_licence_check CHECK ((licence ~ '^BR-\d{4}/[A-Z]{2}$'::text)),
    CONSTRAINT broker_territories_check CHECK (((cardinality(territories) >= 1) AND (cardinality(territories) <= 20)))
);


ALTER TABLE app.broker OWNER TO postgres;

--
-- Name: card; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.card (
    party_id bigint NOT NULL,
    pan character varying(19) NOT NULL,
    expires date NOT NULL,
    network text GENERATED ALWAYS AS (
CASE "left"((pan)::text, 1)
    WHEN '4'::text THEN 'visa'::text
    WHEN '5'::text THEN 'mastercard'::text
    ELSE 'other'::text
END) STORED,
    CONSTRAINT card_expires_month_end CHECK ((expires = ((date_trunc('month'::text, (expires)::timestamp without time zone) + '1 mon -1 days'::interval))::date)),
    CONSTRAINT card_luhn CHECK ((((length((pan)::text) >= 13) AND (length((pan)::text) <= 19)) AND ref.luhn_ok((pan)::text)))
);


ALTER TABLE app.card OWNER TO postgres;

--
-- Name: CONSTRAINT card_luhn ON card; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON CONSTRAINT card_luhn ON app.card IS 'mod 10';


--
-- Name: claim; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.claim (
    id bigint NOT NULL,
    region text NOT NULL,
    policy_id bigint NOT NULL,
    peril_id smallint NOT NULL,
    claim_no text NOT NULL,
    state app.claim_state DEFAULT 'reported'::app.claim_state NOT NULL,
    occurred tstzrange NOT NULL,
    reported_at timestamp with time zone DEFAULT now() NOT NULL,
    handler_id integer,
    reserve_cents bigint DEFAULT 0 NOT NULL,
    approved_cents bigint,
    paid_at timestamp with time zone,
    rejection_reason text,
    narrative text NOT NULL,
    narrative_tsv tsvector GENERATED ALWAYS AS (to_tsvector('english'::regconfig, narrative)) STORED,
    location point,
    estimate app.cents_range,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT claim_approved CHECK (((state <> ALL (ARRAY['approved'::app.claim_state, 'paid'::app.claim_state])) OR (approved_cents IS NOT NULL))),
    CONSTRAINT claim_approved_in_estimate CHECK ((approved_cents <@ estimate)),
    CONSTRAINT claim_claim_no_check CHECK ((claim_no ~ '^CL-\d{4}-[0-9A-F]{6}$'::text)),
    CONSTRAINT claim_paid CHECK (((state = 'paid'::app.claim_state) = (paid_at IS NOT NULL))),
    CONSTRAINT claim_rejection CHECK (((state = 'rejected'::app.claim_state) = (rejection_reason IS NOT NULL))),
    CONSTRAINT claim_reported_after CHECK ((reported_at >= lower(occurred))),
    CONSTRAINT claim_reserve_cents_check CHECK ((reserve_cents >= 0))
);
ALTER TABLE ONLY app.claim ALTER COLUMN state SET STATISTICS 500;


ALTER TABLE app.claim OWNER TO postgres;

--
-- Name: claim_id_seq; Type: SEQUENCE; Schema: app; Owner: postgres
--

ALTER TABLE app.claim ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME app.claim_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: claim_note; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.claim_note (
    id bigint NOT NULL,
    claim_id bigint NOT NULL,
    author_id integer NOT NULL,
    body text NOT NULL,
    reply_to bigint,
    written_at timestamp without time zone DEFAULT LOCALTIMESTAMP NOT NULL,
    CONSTRAINT claim_note_body_check CHECK ((body <> ''::text))
);
ALTER TABLE ONLY app.claim_note ALTER COLUMN body SET STORAGE EXTERNAL;


ALTER TABLE app.claim_note OWNER TO postgres;

--
-- Name: claim_note_id_seq; Type: SEQUENCE; Schema: app; Owner: postgres
--

CREATE SEQUENCE app.claim_note_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE app.claim_note_id_seq OWNER TO postgres;

--
-- Name: claim_note_id_seq; Type: SEQUENCE OWNED BY; Schema: app; Owner: postgres
--

ALTER SEQUENCE app.claim_note_id_seq OWNED BY app.claim_note.id;


--
-- Name: claim_party; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.claim_party (
    claim_id bigint NOT NULL,
    party_id bigint NOT NULL,
    role text NOT NULL,
    share app.fraction,
    CONSTRAINT claim_party_check CHECK (((role = 'third_party'::text) OR ((share)::numeric = (0)::numeric))),
    CONSTRAINT claim_party_role_check CHECK ((role = ANY ('{claimant,witness,third_party,lawyer}'::text[])))
);


ALTER TABLE app.claim_party OWNER TO postgres;

--
-- Name: device; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.device (
    mac macaddr8 NOT NULL,
    party_id bigint,
    kind text NOT NULL,
    firmware text,
    subnet cidr,
    ip inet,
    last_seen timestamp with time zone,
    CONSTRAINT device_firmware_check CHECK ((firmware ~ '^\d+\.\d+\.\d+$'::text)),
    CONSTRAINT device_ip CHECK ((ip << (subnet)::inet)),
    CONSTRAINT device_subnet_check CHECK (((masklen((subnet)::inet) >= 8) AND (masklen((subnet)::inet) <= 30)))
);


ALTER TABLE app.device OWNER TO postgres;

--
-- Name: document_no; Type: SEQUENCE; Schema: app; Owner: postgres
--

CREATE SEQUENCE app.document_no
    START WITH 100000
    INCREMENT BY 7
    NO MINVALUE
    NO MAXVALUE
    CACHE 10;


ALTER TABLE app.document_no OWNER TO postgres;

--
-- Name: document; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.document (
    no bigint DEFAULT nextval('app.document_no'::regclass) NOT NULL,
    claim_id bigint,
    region text,
    policy_id bigint,
    mime text NOT NULL,
    content_xml xml,
    content_bin bytea,
    sha1 bytea,
    pages int4range,
    retention interval DEFAULT '10 years'::interval NOT NULL,
    CONSTRAINT document_check CHECK (((claim_id IS NULL) <> (policy_id IS NULL))),
    CONSTRAINT document_check1 CHECK (((content_xml IS NULL) <> (content_bin IS NULL))),
    CONSTRAINT document_mime_check CHECK ((mime ~~ '%/%'::text)),
    CONSTRAINT document_retention_check CHECK (((retention >= '1 year'::interval) AND (retention <= '30 years'::interval))),
    CONSTRAINT document_sha1_check CHECK ((octet_length(sha1) = 20))
)
WITH (autovacuum_vacuum_scale_factor='0.02', fillfactor='90');


ALTER TABLE app.document OWNER TO postgres;

--
-- Name: feature_flag; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.feature_flag (
    name text NOT NULL,
    enabled boolean NOT NULL,
    rollout app.fraction,
    rules jsonb,
    CONSTRAINT feature_flag_name_check CHECK ((name ~ '^[a-z]+(\.[a-z_]+)*$'::text))
);


ALTER TABLE app.feature_flag OWNER TO postgres;

--
-- Name: installment; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.installment (
    region text NOT NULL,
    policy_id bigint NOT NULL,
    due_on date NOT NULL,
    seq smallint NOT NULL,
    amount_cents app.positive_cents NOT NULL,
    paid_cents bigint DEFAULT 0 NOT NULL,
    settled boolean GENERATED ALWAYS AS ((paid_cents >= (amount_cents)::bigint)) STORED,
    CONSTRAINT installment_paid CHECK (((paid_cents >= 0) AND (paid_cents <= (amount_cents)::bigint))),
    CONSTRAINT installment_seq CHECK (((seq >= 1) AND (seq <= 12))),
    CONSTRAINT installment_weekday CHECK (ref.is_weekday(due_on))
)
PARTITION BY RANGE (due_on);


ALTER TABLE app.installment OWNER TO postgres;

--
-- Name: installment_2024; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.installment_2024 (
    region text NOT NULL,
    policy_id bigint NOT NULL,
    due_on date NOT NULL,
    seq smallint NOT NULL,
    amount_cents app.positive_cents NOT NULL,
    paid_cents bigint DEFAULT 0 NOT NULL,
    settled boolean GENERATED ALWAYS AS ((paid_cents >= (amount_cents)::bigint)) STORED,
    CONSTRAINT installment_paid CHECK (((paid_cents >= 0) AND (paid_cents <= (amount_cents)::bigint))),
    CONSTRAINT installment_seq CHECK (((seq >= 1) AND (seq <= 12))),
    CONSTRAINT installment_weekday CHECK (ref.is_weekday(due_on))
);


ALTER TABLE app.installment_2024 OWNER TO postgres;

--
-- Name: installment_2025; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.installment_2025 (
    region text NOT NULL,
    policy_id bigint NOT NULL,
    due_on date NOT NULL,
    seq smallint NOT NULL,
    amount_cents app.positive_cents NOT NULL,
    paid_cents bigint DEFAULT 0 NOT NULL,
    settled boolean GENERATED ALWAYS AS ((paid_cents >= (amount_cents)::bigint)) STORED,
    CONSTRAINT installment_paid CHECK (((paid_cents >= 0) AND (paid_cents <= (amount_cents)::bigint))),
    CONSTRAINT installment_seq CHECK (((seq >= 1) AND (seq <= 12))),
    CONSTRAINT installment_weekday CHECK (ref.is_weekday(due_on))
);


ALTER TABLE app.installment_2025 OWNER TO postgres;

--
-- Name: installment_2026h1; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.installment_2026h1 (
    region text NOT NULL,
    policy_id bigint NOT NULL,
    due_on date NOT NULL,
    seq smallint NOT NULL,
    amount_cents app.positive_cents NOT NULL,
    paid_cents bigint DEFAULT 0 NOT NULL,
    settled boolean GENERATED ALWAYS AS ((paid_cents >= (amount_cents)::bigint)) STORED,
    CONSTRAINT installment_paid CHECK (((paid_cents >= 0) AND (paid_cents <= (amount_cents)::bigint))),
    CONSTRAINT installment_seq CHECK (((seq >= 1) AND (seq <= 12))),
    CONSTRAINT installment_weekday CHECK (ref.is_weekday(due_on))
);


ALTER TABLE app.installment_2026h1 OWNER TO postgres;

--
-- Name: installment_2026h2; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.installment_2026h2 (
    region text NOT NULL,
    policy_id bigint NOT NULL,
    due_on date NOT NULL,
    seq smallint NOT NULL,
    amount_cents app.positive_cents NOT NULL,
    paid_cents bigint DEFAULT 0 NOT NULL,
    settled boolean GENERATED ALWAYS AS ((paid_cents >= (amount_cents)::bigint)) STORED,
    CONSTRAINT installment_paid CHECK (((paid_cents >= 0) AND (paid_cents <= (amount_cents)::bigint))),
    CONSTRAINT installment_seq CHECK (((seq >= 1) AND (seq <= 12))),
    CONSTRAINT installment_weekday CHECK (ref.is_weekday(due_on))
)
PARTITION BY HASH (policy_id);


ALTER TABLE app.installment_2026h2 OWNER TO postgres;

--
-- Name: installment_2026h2_0; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.installment_2026h2_0 (
    region text NOT NULL,
    policy_id bigint NOT NULL,
    due_on date NOT NULL,
    seq smallint NOT NULL,
    amount_cents app.positive_cents NOT NULL,
    paid_cents bigint DEFAULT 0 NOT NULL,
    settled boolean GENERATED ALWAYS AS ((paid_cents >= (amount_cents)::bigint)) STORED,
    CONSTRAINT installment_paid CHECK (((paid_cents >= 0) AND (paid_cents <= (amount_cents)::bigint))),
    CONSTRAINT installment_seq CHECK (((seq >= 1) AND (seq <= 12))),
    CONSTRAINT installment_weekday CHECK (ref.is_weekday(due_on))
);


ALTER TABLE app.installment_2026h2_0 OWNER TO postgres;

--
-- Name: installment_2026h2_1; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.installment_2026h2_1 (
    region text NOT NULL,
    policy_id bigint NOT NULL,
    due_on date NOT NULL,
    seq smallint NOT NULL,
    amount_cents app.positive_cents NOT NULL,
    paid_cents bigint DEFAULT 0 NOT NULL,
    settled boolean GENERATED ALWAYS AS ((paid_cents >= (amount_cents)::bigint)) STORED,
    CONSTRAINT installment_paid CHECK (((paid_cents >= 0) AND (paid_cents <= (amount_cents)::bigint))),
    CONSTRAINT installment_seq CHECK (((seq >= 1) AND (seq <= 12))),
    CONSTRAINT installment_weekday CHECK (ref.is_weekday(due_on))
);


ALTER TABLE app.installment_2026h2_1 OWNER TO postgres;

--
-- Name: installment_2026h2_3; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.installment_2026h2_3 (
    region text NOT NULL,
    policy_id bigint NOT NULL,
    due_on date NOT NULL,
    seq smallint NOT NULL,
    amount_cents app.positive_cents NOT NULL,
    paid_cents bigint DEFAULT 0 NOT NULL,
    settled boolean GENERATED ALWAYS AS ((paid_cents >= (amount_cents)::bigint)) STORED,
    CONSTRAINT installment_paid CHECK (((paid_cents >= 0) AND (paid_cents <= (amount_cents)::bigint))),
    CONSTRAINT installment_seq CHECK (((seq >= 1) AND (seq <= 12))),
    CONSTRAINT installment_weekday CHECK (ref.is_weekday(due_on))
);


ALTER TABLE app.installment_2026h2_3 OWNER TO postgres;

--
-- Name: insured_object; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.insured_object (
    id uuid DEFAULT public.gen_random_uuid() NOT NULL,
    region text NOT NULL,
    policy_id bigint NOT NULL,
    label app.title NOT NULL,
    value_cents app.positive_cents NOT NULL
);


ALTER TABLE app.insured_object OWNER TO postgres;

--
-- Name: insured_building; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.insured_building (
    location app.geo_point NOT NULL,
    built smallint,
    floors smallint DEFAULT 1 NOT NULL,
    outline polygon,
    CONSTRAINT insured_building_built_check CHECK ((built > 1000)),
    CONSTRAINT insured_building_floors_check CHECK (((floors >= 1) AND (floors <= 200))),
    CONSTRAINT insured_building_location_check CHECK (((((location).lat >= ('-90'::integer)::double precision) AND ((location).lat <= (90)::double precision)) AND (((location).lon >= ('-180'::integer)::double precision) AND ((location).lon <= (180)::double precision))))
)
INHERITS (app.insured_object);


ALTER TABLE app.insured_building OWNER TO postgres;

--
-- Name: insured_vehicle; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.insured_vehicle (
    vin character(17) NOT NULL,
    plate character varying(12) COLLATE ref.numeric_order,
    first_registered date NOT NULL,
    odometer_km integer,
    CONSTRAINT insured_vehicle_odometer_km_check CHECK ((odometer_km >= 0)),
    CONSTRAINT insured_vehicle_vin_check CHECK ((vin ~ '^[A-HJ-NPR-Z0-9]{17}$'::text))
)
INHERITS (app.insured_object);


ALTER TABLE app.insured_vehicle OWNER TO postgres;

--
-- Name: loss_ratio; Type: MATERIALIZED VIEW; Schema: app; Owner: postgres
--

CREATE MATERIALIZED VIEW app.loss_ratio AS
 SELECT p.region,
    p.line,
    count(DISTINCT p.id) AS policies,
    (sum(c.approved_cents) / 100.0) AS paid,
    sum(p.premium) AS earned
   FROM (app.policy p
     LEFT JOIN app.claim c ON (((c.region = p.region) AND (c.policy_id = p.id))))
  GROUP BY p.region, p.line
  WITH NO DATA;


ALTER TABLE app.loss_ratio OWNER TO postgres;

--
-- Name: organisation; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.organisation (
    party_id bigint NOT NULL,
    registration_no character varying(20) NOT NULL,
    founded_year smallint,
    employees int4range,
    website text,
    parent_id bigint,
    CONSTRAINT organisation_check CHECK ((parent_id <> party_id)),
    CONSTRAINT organisation_employees_check CHECK ((lower(employees) >= 0)),
    CONSTRAINT organisation_founded_year_check CHECK (((founded_year >= 1600) AND (founded_year <= 2100))),
    CONSTRAINT organisation_website_check CHECK ((website ~* '^https?://[a-z0-9.-]+(/.*)?$'::text))
);


ALTER TABLE app.organisation OWNER TO postgres;

--
-- Name: party; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.party (
    id bigint NOT NULL,
    kind app.party_kind NOT NULL,
    display_name app.title NOT NULL,
    email app.email,
    phone character varying(16),
    address app.postal_address,
    country character(2) NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT party_address_country CHECK ((((address).country IS NULL) OR ((address).country = country))),
    CONSTRAINT party_phone_check CHECK (((phone)::text ~ '^\+\d{6,15}$'::text))
);


ALTER TABLE app.party OWNER TO postgres;

--
-- Name: party_id_seq; Type: SEQUENCE; Schema: app; Owner: postgres
--

ALTER TABLE app.party ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME app.party_id_seq
    START WITH 1000
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: party_relation; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.party_relation (
    a bigint NOT NULL,
    b bigint NOT NULL,
    kind text NOT NULL,
    since date,
    CONSTRAINT party_relation_check CHECK ((a < b)),
    CONSTRAINT party_relation_kind_check CHECK ((kind = ANY (ARRAY['spouse'::text, 'sibling'::text, 'business'::text])))
);


ALTER TABLE app.party_relation OWNER TO postgres;

--
-- Name: payment; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.payment (
    id bigint NOT NULL,
    received_at timestamp with time zone NOT NULL,
    region text NOT NULL,
    policy_id bigint NOT NULL,
    due_on date NOT NULL,
    seq smallint NOT NULL,
    amount_cents app.positive_cents NOT NULL,
    account_id integer,
    card_pan character varying(19),
    remittance character varying(140),
    CONSTRAINT payment_one_source CHECK ((num_nonnulls(account_id, card_pan) = 1))
)
PARTITION BY RANGE (received_at);


ALTER TABLE app.payment OWNER TO postgres;

--
-- Name: payment_2025; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.payment_2025 (
    id bigint NOT NULL,
    received_at timestamp with time zone NOT NULL,
    region text NOT NULL,
    policy_id bigint NOT NULL,
    due_on date NOT NULL,
    seq smallint NOT NULL,
    amount_cents app.positive_cents NOT NULL,
    account_id integer,
    card_pan character varying(19),
    remittance character varying(140),
    CONSTRAINT payment_one_source CHECK ((num_nonnulls(account_id, card_pan) = 1))
);


ALTER TABLE app.payment_2025 OWNER TO postgres;

--
-- Name: payment_2026; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.payment_2026 (
    id bigint NOT NULL,
    received_at timestamp with time zone NOT NULL,
    region text NOT NULL,
    policy_id bigint NOT NULL,
    due_on date NOT NULL,
    seq smallint NOT NULL,
    amount_cents app.positive_cents NOT NULL,
    account_id integer,
    card_pan character varying(19),
    remittance character varying(140),
    CONSTRAINT payment_one_source CHECK ((num_nonnulls(account_id, card_pan) = 1))
);


ALTER TABLE app.payment_2026 OWNER TO postgres;

--
-- Name: payment_default; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.payment_default (
    id bigint NOT NULL,
    received_at timestamp with time zone NOT NULL,
    region text NOT NULL,
    policy_id bigint NOT NULL,
    due_on date NOT NULL,
    seq smallint NOT NULL,
    amount_cents app.positive_cents NOT NULL,
    account_id integer,
    card_pan character varying(19),
    remittance character varying(140),
    CONSTRAINT payment_one_source CHECK ((num_nonnulls(account_id, card_pan) = 1))
);


ALTER TABLE app.payment_default OWNER TO postgres;

--
-- Name: payment_id_seq; Type: SEQUENCE; Schema: app; Owner: postgres
--

ALTER TABLE app.payment ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME app.payment_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: person; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.person (
    party_id bigint NOT NULL,
    given_names text NOT NULL,
    family_name text NOT NULL,
    born date NOT NULL,
    died date,
    national_id text,
    initials text GENERATED ALWAYS AS (("left"(given_names, 1) || "left"(family_name, 1))) STORED,
    CONSTRAINT person_born_check CHECK ((born > '1900-01-01'::date)),
    CONSTRAINT person_check CHECK ((died >= born)),
    CONSTRAINT person_national_id_check CHECK (((national_id ~ '^\d{9}$'::text) AND ref.luhn_ok(national_id)))
);


ALTER TABLE app.person OWNER TO postgres;

--
-- Name: policy_dach; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.policy_dach (
    region text NOT NULL,
    id bigint NOT NULL,
    policy_no app.policy_no NOT NULL,
    line character varying(4) NOT NULL,
    holder_id bigint NOT NULL,
    broker_id bigint,
    state app.policy_state DEFAULT 'quoted'::app.policy_state NOT NULL,
    cover daterange NOT NULL,
    premium numeric(12,2) NOT NULL,
    premium_tax numeric(12,2) DEFAULT 0 NOT NULL,
    premium_gross numeric(13,2) GENERATED ALWAYS AS ((premium + premium_tax)) STORED,
    currency character(3) NOT NULL,
    cancelled_at timestamp with time zone,
    terms jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT policy_cancelled CHECK (((state = 'cancelled'::app.policy_state) = (cancelled_at IS NOT NULL))),
    CONSTRAINT policy_cover_bounded CHECK ((NOT (isempty(cover) OR lower_inf(cover) OR upper_inf(cover)))),
    CONSTRAINT policy_premium_check CHECK ((premium >= (0)::numeric)),
    CONSTRAINT policy_tax_share CHECK (((premium_tax >= (0)::numeric) AND (premium_tax <= premium)))
)
PARTITION BY LIST (region);


ALTER TABLE app.policy_dach OWNER TO postgres;

--
-- Name: policy_dach_de; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.policy_dach_de (
    region text NOT NULL,
    id bigint NOT NULL,
    policy_no app.policy_no NOT NULL,
    line character varying(4) NOT NULL,
    holder_id bigint NOT NULL,
    broker_id bigint,
    state app.policy_state DEFAULT 'quoted'::app.policy_state NOT NULL,
    cover daterange NOT NULL,
    premium numeric(12,2) NOT NULL,
    premium_tax numeric(12,2) DEFAULT 0 NOT NULL,
    premium_gross numeric(13,2) GENERATED ALWAYS AS ((premium + premium_tax)) STORED,
    currency character(3) NOT NULL,
    cancelled_at timestamp with time zone,
    terms jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT policy_cancelled CHECK (((state = 'cancelled'::app.policy_state) = (cancelled_at IS NOT NULL))),
    CONSTRAINT policy_cover_bounded CHECK ((NOT (isempty(cover) OR lower_inf(cover) OR upper_inf(cover)))),
    CONSTRAINT policy_premium_check CHECK ((premium >= (0)::numeric)),
    CONSTRAINT policy_tax_share CHECK (((premium_tax >= (0)::numeric) AND (premium_tax <= premium)))
);


ALTER TABLE app.policy_dach_de OWNER TO postgres;

--
-- Name: policy_dach_rest; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.policy_dach_rest (
    region text NOT NULL,
    id bigint NOT NULL,
    policy_no app.policy_no NOT NULL,
    line character varying(4) NOT NULL,
    holder_id bigint NOT NULL,
    broker_id bigint,
    state app.policy_state DEFAULT 'quoted'::app.policy_state NOT NULL,
    cover daterange NOT NULL,
    premium numeric(12,2) NOT NULL,
    premium_tax numeric(12,2) DEFAULT 0 NOT NULL,
    premium_gross numeric(13,2) GENERATED ALWAYS AS ((premium + premium_tax)) STORED,
    currency character(3) NOT NULL,
    cancelled_at timestamp with time zone,
    terms jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT policy_cancelled CHECK (((state = 'cancelled'::app.policy_state) = (cancelled_at IS NOT NULL))),
    CONSTRAINT policy_cover_bounded CHECK ((NOT (isempty(cover) OR lower_inf(cover) OR upper_inf(cover)))),
    CONSTRAINT policy_premium_check CHECK ((premium >= (0)::numeric)),
    CONSTRAINT policy_tax_share CHECK (((premium_tax >= (0)::numeric) AND (premium_tax <= premium)))
);


ALTER TABLE app.policy_dach_rest OWNER TO postgres;

--
-- Name: policy_id_seq; Type: SEQUENCE; Schema: app; Owner: postgres
--

ALTER TABLE app.policy ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME app.policy_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: policy_nordics; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.policy_nordics (
    region text NOT NULL,
    id bigint NOT NULL,
    policy_no app.policy_no NOT NULL,
    line character varying(4) NOT NULL,
    holder_id bigint NOT NULL,
    broker_id bigint,
    state app.policy_state DEFAULT 'quoted'::app.policy_state NOT NULL,
    cover daterange NOT NULL,
    premium numeric(12,2) NOT NULL,
    premium_tax numeric(12,2) DEFAULT 0 NOT NULL,
    premium_gross numeric(13,2) GENERATED ALWAYS AS ((premium + premium_tax)) STORED,
    currency character(3) NOT NULL,
    cancelled_at timestamp with time zone,
    terms jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT policy_cancelled CHECK (((state = 'cancelled'::app.policy_state) = (cancelled_at IS NOT NULL))),
    CONSTRAINT policy_cover_bounded CHECK ((NOT (isempty(cover) OR lower_inf(cover) OR upper_inf(cover)))),
    CONSTRAINT policy_premium_check CHECK ((premium >= (0)::numeric)),
    CONSTRAINT policy_tax_share CHECK (((premium_tax >= (0)::numeric) AND (premium_tax <= premium)))
)
WITH (fillfactor='80');


ALTER TABLE app.policy_nordics OWNER TO postgres;

--
-- Name: policy_other; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.policy_other (
    region text NOT NULL,
    id bigint NOT NULL,
    policy_no app.policy_no NOT NULL,
    line character varying(4) NOT NULL,
    holder_id bigint NOT NULL,
    broker_id bigint,
    state app.policy_state DEFAULT 'quoted'::app.policy_state NOT NULL,
    cover daterange NOT NULL,
    premium numeric(12,2) NOT NULL,
    premium_tax numeric(12,2) DEFAULT 0 NOT NULL,
    premium_gross numeric(13,2) GENERATED ALWAYS AS ((premium + premium_tax)) STORED,
    currency character(3) NOT NULL,
    cancelled_at timestamp with time zone,
    terms jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT policy_cancelled CHECK (((state = 'cancelled'::app.policy_state) = (cancelled_at IS NOT NULL))),
    CONSTRAINT policy_cover_bounded CHECK ((NOT (isempty(cover) OR lower_inf(cover) OR upper_inf(cover)))),
    CONSTRAINT policy_premium_check CHECK ((premium >= (0)::numeric)),
    CONSTRAINT policy_tax_share CHECK (((premium_tax >= (0)::numeric) AND (premium_tax <= premium)))
);


ALTER TABLE app.policy_other OWNER TO postgres;

--
-- Name: policy_peril; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.policy_peril (
    region text NOT NULL,
    policy_id bigint NOT NULL,
    peril_id smallint NOT NULL,
    sum_insured app.cents_range NOT NULL,
    deductible app.positive_cents,
    CONSTRAINT policy_peril_check CHECK (((deductible)::bigint <= upper(sum_insured))),
    CONSTRAINT policy_peril_sum_insured_check CHECK (((NOT isempty(sum_insured)) AND (lower(sum_insured) >= 0)))
);


ALTER TABLE app.policy_peril OWNER TO postgres;

--
-- Name: policy_uk; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.policy_uk (
    region text NOT NULL,
    id bigint NOT NULL,
    policy_no app.policy_no NOT NULL,
    line character varying(4) NOT NULL,
    holder_id bigint NOT NULL,
    broker_id bigint,
    state app.policy_state DEFAULT 'quoted'::app.policy_state NOT NULL,
    cover daterange NOT NULL,
    premium numeric(12,2) NOT NULL,
    premium_tax numeric(12,2) DEFAULT 0 NOT NULL,
    premium_gross numeric(13,2) GENERATED ALWAYS AS ((premium + premium_tax)) STORED,
    currency character(3) NOT NULL,
    cancelled_at timestamp with time zone,
    terms jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT policy_cancelled CHECK (((state = 'cancelled'::app.policy_state) = (cancelled_at IS NOT NULL))),
    CONSTRAINT policy_cover_bounded CHECK ((NOT (isempty(cover) OR lower_inf(cover) OR upper_inf(cover)))),
    CONSTRAINT policy_premium_check CHECK ((premium >= (0)::numeric)),
    CONSTRAINT policy_tax_share CHECK (((premium_tax >= (0)::numeric) AND (premium_tax <= premium))),
    CONSTRAINT policy_uk_currency CHECK ((currency = 'GBP'::bpchar))
);


ALTER TABLE app.policy_uk OWNER TO postgres;

--
-- Name: quote_cache; Type: TABLE; Schema: app; Owner: postgres
--

CREATE UNLOGGED TABLE app.quote_cache (
    key text NOT NULL,
    quote jsonb NOT NULL,
    computed_at timestamp with time zone DEFAULT now() NOT NULL,
    ttl interval DEFAULT '00:15:00'::interval NOT NULL
);


ALTER TABLE app.quote_cache OWNER TO postgres;

--
-- Name: small_claim; Type: VIEW; Schema: app; Owner: postgres
--

CREATE VIEW app.small_claim AS
 SELECT claim.id,
    claim.claim_no,
    claim.state,
    claim.reserve_cents
   FROM app.claim
  WHERE (claim.reserve_cents < 100000)
  WITH LOCAL CHECK OPTION;


ALTER TABLE app.small_claim OWNER TO postgres;

--
-- Name: staff; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.staff (
    id integer NOT NULL,
    login name NOT NULL,
    full_name text NOT NULL,
    manager_id integer,
    badge macaddr,
    office_net cidr,
    workstation inet,
    hired date NOT NULL,
    left_on date,
    monthly_salary money,
    rights bit varying(16) DEFAULT '0'::"bit" NOT NULL,
    working_hours int4multirange DEFAULT '{[9,12),[13,18)}'::int4multirange NOT NULL,
    photo bytea,
    CONSTRAINT staff_check CHECK ((workstation <<= (office_net)::inet)),
    CONSTRAINT staff_check1 CHECK ((left_on > hired)),
    CONSTRAINT staff_monthly_salary_check CHECK ((monthly_salary > (0)::money)),
    CONSTRAINT staff_working_hours_check CHECK ((working_hours <@ int4range(0, 24)))
);

ALTER TABLE ONLY app.staff REPLICA IDENTITY FULL;


ALTER TABLE app.staff OWNER TO postgres;

--
-- Name: staff_id_seq; Type: SEQUENCE; Schema: app; Owner: postgres
--

ALTER TABLE app.staff ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME app.staff_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: telemetry; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.telemetry (
    mac macaddr8 NOT NULL,
    at timestamp with time zone NOT NULL,
    speed real,
    accel double precision[],
    status bit(4) NOT NULL,
    raw jsonb,
    CONSTRAINT telemetry_speed_check CHECK (((speed >= (0)::double precision) AND (speed < (400)::double precision)))
)
PARTITION BY HASH (mac);


ALTER TABLE app.telemetry OWNER TO postgres;

--
-- Name: telemetry_0; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.telemetry_0 (
    mac macaddr8 NOT NULL,
    at timestamp with time zone NOT NULL,
    speed real,
    accel double precision[],
    status bit(4) NOT NULL,
    raw jsonb,
    CONSTRAINT telemetry_speed_check CHECK (((speed >= (0)::double precision) AND (speed < (400)::double precision)))
);


ALTER TABLE app.telemetry_0 OWNER TO postgres;

--
-- Name: telemetry_1; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.telemetry_1 (
    mac macaddr8 NOT NULL,
    at timestamp with time zone NOT NULL,
    speed real,
    accel double precision[],
    status bit(4) NOT NULL,
    raw jsonb,
    CONSTRAINT telemetry_speed_check CHECK (((speed >= (0)::double precision) AND (speed < (400)::double precision)))
);


ALTER TABLE app.telemetry_1 OWNER TO postgres;

--
-- Name: ledger_check; Type: TABLE; Schema: audit; Owner: postgres
--

CREATE TABLE audit.ledger_check (
    day date NOT NULL,
    expected money NOT NULL,
    found money NOT NULL,
    difference money GENERATED ALWAYS AS ((found - expected)) STORED,
    signed_off_by text
);


ALTER TABLE audit.ledger_check OWNER TO postgres;

--
-- Name: log; Type: TABLE; Schema: audit; Owner: insurance_auditor
--

CREATE TABLE audit.log (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor name DEFAULT CURRENT_USER NOT NULL,
    action character(1) NOT NULL,
    relation regclass NOT NULL,
    row_data jsonb NOT NULL,
    client inet DEFAULT inet_client_addr(),
    CONSTRAINT log_action_check CHECK ((action = ANY (ARRAY['I'::bpchar, 'U'::bpchar, 'D'::bpchar])))
)
PARTITION BY RANGE (at);


ALTER TABLE audit.log OWNER TO insurance_auditor;

--
-- Name: log_current; Type: TABLE; Schema: audit; Owner: postgres
--

CREATE TABLE audit.log_current (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor name DEFAULT CURRENT_USER NOT NULL,
    action character(1) NOT NULL,
    relation regclass NOT NULL,
    row_data jsonb NOT NULL,
    client inet DEFAULT inet_client_addr(),
    CONSTRAINT log_action_check CHECK ((action = ANY (ARRAY['I'::bpchar, 'U'::bpchar, 'D'::bpchar])))
);


ALTER TABLE audit.log_current OWNER TO postgres;

--
-- Name: log_id_seq; Type: SEQUENCE; Schema: audit; Owner: insurance_auditor
--

ALTER TABLE audit.log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audit.log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: log_old; Type: TABLE; Schema: audit; Owner: postgres
--

CREATE TABLE audit.log_old (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor name DEFAULT CURRENT_USER NOT NULL,
    action character(1) NOT NULL,
    relation regclass NOT NULL,
    row_data jsonb NOT NULL,
    client inet DEFAULT inet_client_addr(),
    CONSTRAINT log_action_check CHECK ((action = ANY (ARRAY['I'::bpchar, 'U'::bpchar, 'D'::bpchar])))
);


ALTER TABLE audit.log_old OWNER TO postgres;

--
-- Name: login_attempt; Type: TABLE; Schema: audit; Owner: postgres
--

CREATE TABLE audit.login_attempt (
    id bigint NOT NULL,
    login name NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    failure text,
    source inet NOT NULL,
    CONSTRAINT login_attempt_check CHECK ((success = (failure IS NULL)))
);


ALTER TABLE audit.login_attempt OWNER TO postgres;

--
-- Name: login_attempt_id_seq; Type: SEQUENCE; Schema: audit; Owner: postgres
--

CREATE SEQUENCE audit.login_attempt_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE audit.login_attempt_id_seq OWNER TO postgres;

--
-- Name: login_attempt_id_seq; Type: SEQUENCE OWNED BY; Schema: audit; Owner: postgres
--

ALTER SEQUENCE audit.login_attempt_id_seq OWNED BY audit.login_attempt.id;


--
-- Name: country; Type: TABLE; Schema: ref; Owner: postgres
--

CREATE TABLE ref.country (
    code character(2) NOT NULL,
    code3 character(3) NOT NULL,
    name text NOT NULL,
    calling_code smallint,
    eu boolean DEFAULT false NOT NULL,
    CONSTRAINT country_calling_code_check CHECK (((calling_code >= 1) AND (calling_code <= 999))),
    CONSTRAINT country_code3_check CHECK ((code3 ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT country_code_check CHECK ((code ~ '^[A-Z]{2}$'::text))
);


ALTER TABLE ref.country OWNER TO postgres;

--
-- Name: currency; Type: TABLE; Schema: ref; Owner: postgres
--

CREATE TABLE ref.currency (
    code character(3) NOT NULL,
    exponent smallint DEFAULT 2 NOT NULL,
    CONSTRAINT currency_code_check CHECK (((code)::text = upper((code)::text))),
    CONSTRAINT currency_exponent_check CHECK ((exponent = ANY (ARRAY[0, 2, 3])))
);


ALTER TABLE ref.currency OWNER TO postgres;

--
-- Name: holiday; Type: TABLE; Schema: ref; Owner: postgres
--

CREATE TABLE ref.holiday (
    country character(2) NOT NULL,
    day date NOT NULL,
    name text NOT NULL
);


ALTER TABLE ref.holiday OWNER TO postgres;

--
-- Name: peril; Type: TABLE; Schema: ref; Owner: postgres
--

CREATE TABLE ref.peril (
    id smallint NOT NULL,
    name text NOT NULL,
    flags bit(8) DEFAULT '00000000'::"bit" NOT NULL,
    CONSTRAINT peril_flags_check CHECK (((flags & '10000001'::"bit") <> '10000001'::"bit"))
);


ALTER TABLE ref.peril OWNER TO postgres;

--
-- Name: peril_id_seq; Type: SEQUENCE; Schema: ref; Owner: postgres
--

ALTER TABLE ref.peril ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ref.peril_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: product_line; Type: TABLE; Schema: ref; Owner: postgres
--

CREATE TABLE ref.product_line (
    code character varying(4) NOT NULL,
    name text NOT NULL,
    parent character varying(4),
    min_term interval DEFAULT '1 mon'::interval NOT NULL,
    cover_limits app.cents_multirange,
    commission app.fraction,
    CONSTRAINT product_line_code_check CHECK (((code)::text ~ '^[A-Z]{3,4}$'::text)),
    CONSTRAINT product_line_min_term_check CHECK ((min_term > '00:00:00'::interval))
);


ALTER TABLE ref.product_line OWNER TO postgres;

--
-- Name: installment_2024; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.installment ATTACH PARTITION app.installment_2024 FOR VALUES FROM (MINVALUE) TO ('2025-01-01');


--
-- Name: installment_2025; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.installment ATTACH PARTITION app.installment_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');


--
-- Name: installment_2026h1; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.installment ATTACH PARTITION app.installment_2026h1 FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');


--
-- Name: installment_2026h2; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.installment ATTACH PARTITION app.installment_2026h2 FOR VALUES FROM ('2026-07-01') TO ('2027-01-01');


--
-- Name: installment_2026h2_0; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.installment_2026h2 ATTACH PARTITION app.installment_2026h2_0 FOR VALUES WITH (modulus 2, remainder 0);


--
-- Name: installment_2026h2_1; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.installment_2026h2 ATTACH PARTITION app.installment_2026h2_1 FOR VALUES WITH (modulus 4, remainder 1);


--
-- Name: installment_2026h2_3; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.installment_2026h2 ATTACH PARTITION app.installment_2026h2_3 FOR VALUES WITH (modulus 4, remainder 3);


--
-- Name: payment_2025; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.payment ATTACH PARTITION app.payment_2025 FOR VALUES FROM ('2025-01-01 00:00:00+00') TO ('2026-01-01 00:00:00+00');


--
-- Name: payment_2026; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.payment ATTACH PARTITION app.payment_2026 FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');


--
-- Name: payment_default; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.payment ATTACH PARTITION app.payment_default DEFAULT;


--
-- Name: policy_dach; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy ATTACH PARTITION app.policy_dach FOR VALUES IN ('DE', 'AT', 'CH');


--
-- Name: policy_dach_de; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_dach ATTACH PARTITION app.policy_dach_de FOR VALUES IN ('DE');


--
-- Name: policy_dach_rest; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_dach ATTACH PARTITION app.policy_dach_rest DEFAULT;


--
-- Name: policy_nordics; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy ATTACH PARTITION app.policy_nordics FOR VALUES IN ('DK', 'SE', 'NO', 'FI');


--
-- Name: policy_other; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy ATTACH PARTITION app.policy_other DEFAULT;


--
-- Name: policy_uk; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy ATTACH PARTITION app.policy_uk FOR VALUES IN ('GB');


--
-- Name: telemetry_0; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.telemetry ATTACH PARTITION app.telemetry_0 FOR VALUES WITH (modulus 2, remainder 0);


--
-- Name: telemetry_1; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.telemetry ATTACH PARTITION app.telemetry_1 FOR VALUES WITH (modulus 2, remainder 1);


--
-- Name: log_current; Type: TABLE ATTACH; Schema: audit; Owner: postgres
--

ALTER TABLE ONLY audit.log ATTACH PARTITION audit.log_current DEFAULT;


--
-- Name: log_old; Type: TABLE ATTACH; Schema: audit; Owner: postgres
--

ALTER TABLE ONLY audit.log ATTACH PARTITION audit.log_old FOR VALUES FROM (MINVALUE) TO ('2026-01-01 00:00:00+00');


--
-- Name: claim_note id; Type: DEFAULT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.claim_note ALTER COLUMN id SET DEFAULT nextval('app.claim_note_id_seq'::regclass);


--
-- Name: insured_building id; Type: DEFAULT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.insured_building ALTER COLUMN id SET DEFAULT public.gen_random_uuid();


--
-- Name: insured_vehicle id; Type: DEFAULT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.insured_vehicle ALTER COLUMN id SET DEFAULT public.gen_random_uuid();


--
-- Name: login_attempt id; Type: DEFAULT; Schema: audit; Owner: postgres
--

ALTER TABLE ONLY audit.login_attempt ALTER COLUMN id SET DEFAULT nextval('audit.login_attempt_id_seq'::regclass);


--
-- Name: appointment appointment_no_clash; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.appointment
    ADD CONSTRAINT appointment_no_clash EXCLUDE USING gist (assessor_id WITH =, during WITH &&) WHERE ((NOT cancelled)) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: appointment appointment_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.appointment
    ADD CONSTRAINT appointment_pkey PRIMARY KEY (id);


--
-- Name: bank_account bank_account_party_id_valid_excl; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.bank_account
    ADD CONSTRAINT bank_account_party_id_valid_excl EXCLUDE USING gist (party_id WITH =, valid WITH &&) WHERE (verified);


--
-- Name: bank_account bank_account_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.bank_account
    ADD CONSTRAINT bank_account_pkey PRIMARY KEY (id);


--
-- Name: broker broker_licence_key; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.broker
    ADD CONSTRAINT broker_licence_key UNIQUE (licence);


--
-- Name: broker broker_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.broker
    ADD CONSTRAINT broker_pkey PRIMARY KEY (party_id);


--
-- Name: card card_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.card
    ADD CONSTRAINT card_pkey PRIMARY KEY (pan);


--
-- Name: claim claim_claim_no_key; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.claim
    ADD CONSTRAINT claim_claim_no_key UNIQUE (claim_no);


--
-- Name: claim_note claim_note_claim_id_id_key; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.claim_note
    ADD CONSTRAINT claim_note_claim_id_id_key UNIQUE (claim_id, id);


--
-- Name: claim_note claim_note_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.claim_note
    ADD CONSTRAINT claim_note_pkey PRIMARY KEY (id);


--
-- Name: claim_party claim_party_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.claim_party
    ADD CONSTRAINT claim_party_pkey PRIMARY KEY (claim_id, party_id, role);


--
-- Name: claim claim_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.claim
    ADD CONSTRAINT claim_pkey PRIMARY KEY (id);


--
-- Name: device device_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.device
    ADD CONSTRAINT device_pkey PRIMARY KEY (mac);


--
-- Name: document document_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.document
    ADD CONSTRAINT document_pkey PRIMARY KEY (no);


--
-- Name: feature_flag feature_flag_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.feature_flag
    ADD CONSTRAINT feature_flag_pkey PRIMARY KEY (name);


--
-- Name: installment installment_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.installment
    ADD CONSTRAINT installment_pkey PRIMARY KEY (region, policy_id, due_on, seq);


--
-- Name: installment_2024 installment_2024_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.installment_2024
    ADD CONSTRAINT installment_2024_pkey PRIMARY KEY (region, policy_id, due_on, seq);


--
-- Name: installment_2025 installment_2025_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.installment_2025
    ADD CONSTRAINT installment_2025_pkey PRIMARY KEY (region, policy_id, due_on, seq);


--
-- Name: installment_2026h1 installment_2026h1_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.installment_2026h1
    ADD CONSTRAINT installment_2026h1_pkey PRIMARY KEY (region, policy_id, due_on, seq);


--
-- Name: installment_2026h2 installment_2026h2_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.installment_2026h2
    ADD CONSTRAINT installment_2026h2_pkey PRIMARY KEY (region, policy_id, due_on, seq);


--
-- Name: installment_2026h2_0 installment_2026h2_0_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.installment_2026h2_0
    ADD CONSTRAINT installment_2026h2_0_pkey PRIMARY KEY (region, policy_id, due_on, seq);


--
-- Name: installment_2026h2_1 installment_2026h2_1_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.installment_2026h2_1
    ADD CONSTRAINT installment_2026h2_1_pkey PRIMARY KEY (region, policy_id, due_on, seq);


--
-- Name: installment_2026h2_3 installment_2026h2_3_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.installment_2026h2_3
    ADD CONSTRAINT installment_2026h2_3_pkey PRIMARY KEY (region, policy_id, due_on, seq);


--
-- Name: insured_building insured_building_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.insured_building
    ADD CONSTRAINT insured_building_pkey PRIMARY KEY (id);


--
-- Name: insured_object insured_object_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.insured_object
    ADD CONSTRAINT insured_object_pkey PRIMARY KEY (id);


--
-- Name: insured_vehicle insured_vehicle_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.insured_vehicle
    ADD CONSTRAINT insured_vehicle_pkey PRIMARY KEY (id);


--
-- Name: organisation organisation_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.organisation
    ADD CONSTRAINT organisation_pkey PRIMARY KEY (party_id);


--
-- Name: party party_email_country_key; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.party
    ADD CONSTRAINT party_email_country_key UNIQUE NULLS NOT DISTINCT (email, country);


--
-- Name: party party_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.party
    ADD CONSTRAINT party_pkey PRIMARY KEY (id);


--
-- Name: party_relation party_relation_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.party_relation
    ADD CONSTRAINT party_relation_pkey PRIMARY KEY (a, b, kind);


--
-- Name: payment payment_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.payment
    ADD CONSTRAINT payment_pkey PRIMARY KEY (id, received_at);


--
-- Name: payment_2025 payment_2025_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.payment_2025
    ADD CONSTRAINT payment_2025_pkey PRIMARY KEY (id, received_at);


--
-- Name: payment_2026 payment_2026_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.payment_2026
    ADD CONSTRAINT payment_2026_pkey PRIMARY KEY (id, received_at);


--
-- Name: payment_default payment_default_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.payment_default
    ADD CONSTRAINT payment_default_pkey PRIMARY KEY (id, received_at);


--
-- Name: person person_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (party_id);


--
-- Name: policy policy_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy
    ADD CONSTRAINT policy_pkey PRIMARY KEY (region, id);


--
-- Name: policy_dach policy_dach_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_dach
    ADD CONSTRAINT policy_dach_pkey PRIMARY KEY (region, id);


--
-- Name: policy_dach_de policy_dach_de_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_dach_de
    ADD CONSTRAINT policy_dach_de_pkey PRIMARY KEY (region, id);


--
-- Name: policy policy_region_policy_no_key; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy
    ADD CONSTRAINT policy_region_policy_no_key UNIQUE (region, policy_no);


--
-- Name: policy_dach policy_dach_region_policy_no_key; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_dach
    ADD CONSTRAINT policy_dach_region_policy_no_key UNIQUE (region, policy_no);


--
-- Name: policy_dach_de policy_dach_de_region_policy_no_key; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_dach_de
    ADD CONSTRAINT policy_dach_de_region_policy_no_key UNIQUE (region, policy_no);


--
-- Name: policy_dach_rest policy_dach_rest_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_dach_rest
    ADD CONSTRAINT policy_dach_rest_pkey PRIMARY KEY (region, id);


--
-- Name: policy_dach_rest policy_dach_rest_region_policy_no_key; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_dach_rest
    ADD CONSTRAINT policy_dach_rest_region_policy_no_key UNIQUE (region, policy_no);


--
-- Name: policy_nordics policy_nordics_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_nordics
    ADD CONSTRAINT policy_nordics_pkey PRIMARY KEY (region, id);


--
-- Name: policy_nordics policy_nordics_region_policy_no_key; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_nordics
    ADD CONSTRAINT policy_nordics_region_policy_no_key UNIQUE (region, policy_no);


--
-- Name: policy_other policy_other_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_other
    ADD CONSTRAINT policy_other_pkey PRIMARY KEY (region, id);


--
-- Name: policy_other policy_other_region_policy_no_key; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_other
    ADD CONSTRAINT policy_other_region_policy_no_key UNIQUE (region, policy_no);


--
-- Name: policy_peril policy_peril_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_peril
    ADD CONSTRAINT policy_peril_pkey PRIMARY KEY (region, policy_id, peril_id);


--
-- Name: policy_uk policy_uk_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_uk
    ADD CONSTRAINT policy_uk_pkey PRIMARY KEY (region, id);


--
-- Name: policy_uk policy_uk_region_policy_no_key; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_uk
    ADD CONSTRAINT policy_uk_region_policy_no_key UNIQUE (region, policy_no);


--
-- Name: quote_cache quote_cache_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.quote_cache
    ADD CONSTRAINT quote_cache_pkey PRIMARY KEY (key);


--
-- Name: quote_cache quote_cache_shape; Type: CHECK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE app.quote_cache
    ADD CONSTRAINT quote_cache_shape CHECK (((quote @> '{"v": 1}'::jsonb) AND (jsonb_typeof((quote #> '{premium}'::text[])) = 'number'::text))) NOT VALID;


--
-- Name: staff staff_badge_key; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.staff
    ADD CONSTRAINT staff_badge_key UNIQUE (badge);


--
-- Name: staff staff_login_key; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.staff
    ADD CONSTRAINT staff_login_key UNIQUE (login);


--
-- Name: staff staff_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.staff
    ADD CONSTRAINT staff_pkey PRIMARY KEY (id);

ALTER TABLE app.staff CLUSTER ON staff_pkey;


--
-- Name: telemetry telemetry_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.telemetry
    ADD CONSTRAINT telemetry_pkey PRIMARY KEY (mac, at);


--
-- Name: telemetry_0 telemetry_0_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.telemetry_0
    ADD CONSTRAINT telemetry_0_pkey PRIMARY KEY (mac, at);


--
-- Name: telemetry_1 telemetry_1_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.telemetry_1
    ADD CONSTRAINT telemetry_1_pkey PRIMARY KEY (mac, at);


--
-- Name: ledger_check ledger_check_pkey; Type: CONSTRAINT; Schema: audit; Owner: postgres
--

ALTER TABLE ONLY audit.ledger_check
    ADD CONSTRAINT ledger_check_pkey PRIMARY KEY (day);


--
-- Name: log log_pkey; Type: CONSTRAINT; Schema: audit; Owner: insurance_auditor
--

ALTER TABLE ONLY audit.log
    ADD CONSTRAINT log_pkey PRIMARY KEY (at, id);


--
-- Name: log_current log_current_pkey; Type: CONSTRAINT; Schema: audit; Owner: postgres
--

ALTER TABLE ONLY audit.log_current
    ADD CONSTRAINT log_current_pkey PRIMARY KEY (at, id);


--
-- Name: log_old log_old_pkey; Type: CONSTRAINT; Schema: audit; Owner: postgres
--

ALTER TABLE ONLY audit.log_old
    ADD CONSTRAINT log_old_pkey PRIMARY KEY (at, id);


--
-- Name: login_attempt login_attempt_pkey; Type: CONSTRAINT; Schema: audit; Owner: postgres
--

ALTER TABLE ONLY audit.login_attempt
    ADD CONSTRAINT login_attempt_pkey PRIMARY KEY (id);


--
-- Name: country country_code3_key; Type: CONSTRAINT; Schema: ref; Owner: postgres
--

ALTER TABLE ONLY ref.country
    ADD CONSTRAINT country_code3_key UNIQUE (code3);


--
-- Name: country country_pkey; Type: CONSTRAINT; Schema: ref; Owner: postgres
--

ALTER TABLE ONLY ref.country
    ADD CONSTRAINT country_pkey PRIMARY KEY (code);


--
-- Name: currency currency_pkey; Type: CONSTRAINT; Schema: ref; Owner: postgres
--

ALTER TABLE ONLY ref.currency
    ADD CONSTRAINT currency_pkey PRIMARY KEY (code);


--
-- Name: holiday holiday_pkey; Type: CONSTRAINT; Schema: ref; Owner: postgres
--

ALTER TABLE ONLY ref.holiday
    ADD CONSTRAINT holiday_pkey PRIMARY KEY (country, day);


--
-- Name: peril peril_name_key; Type: CONSTRAINT; Schema: ref; Owner: postgres
--

ALTER TABLE ONLY ref.peril
    ADD CONSTRAINT peril_name_key UNIQUE (name);


--
-- Name: peril peril_pkey; Type: CONSTRAINT; Schema: ref; Owner: postgres
--

ALTER TABLE ONLY ref.peril
    ADD CONSTRAINT peril_pkey PRIMARY KEY (id);


--
-- Name: product_line product_line_pkey; Type: CONSTRAINT; Schema: ref; Owner: postgres
--

ALTER TABLE ONLY ref.product_line
    ADD CONSTRAINT product_line_pkey PRIMARY KEY (code);


--
-- Name: claim_location_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX claim_location_idx ON app.claim USING gist (location);


--
-- Name: claim_narrative_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX claim_narrative_idx ON app.claim USING gin (narrative_tsv);


--
-- Name: claim_policy_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX claim_policy_idx ON app.claim USING btree (region, policy_id) INCLUDE (state);


--
-- Name: INDEX claim_policy_idx; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON INDEX app.claim_policy_idx IS 'covering index for the policy page';


--
-- Name: insured_vehicle_vin_key; Type: INDEX; Schema: app; Owner: postgres
--

CREATE UNIQUE INDEX insured_vehicle_vin_key ON app.insured_vehicle USING btree (vin);


--
-- Name: loss_ratio_key; Type: INDEX; Schema: app; Owner: postgres
--

CREATE UNIQUE INDEX loss_ratio_key ON app.loss_ratio USING btree (region, line);


--
-- Name: organisation_registration_no_key; Type: INDEX; Schema: app; Owner: postgres
--

CREATE UNIQUE INDEX organisation_registration_no_key ON app.organisation USING btree (upper((registration_no)::text));


--
-- Name: payment_installment_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX payment_installment_idx ON ONLY app.payment USING btree (region, policy_id, due_on, seq);


--
-- Name: payment_2025_region_policy_id_due_on_seq_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX payment_2025_region_policy_id_due_on_seq_idx ON app.payment_2025 USING btree (region, policy_id, due_on, seq);


--
-- Name: payment_2026_region_policy_id_due_on_seq_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX payment_2026_region_policy_id_due_on_seq_idx ON app.payment_2026 USING btree (region, policy_id, due_on, seq);


--
-- Name: payment_default_region_policy_id_due_on_seq_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX payment_default_region_policy_id_due_on_seq_idx ON app.payment_default USING btree (region, policy_id, due_on, seq);


--
-- Name: policy_active_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX policy_active_idx ON ONLY app.policy USING btree (upper(cover)) WHERE (state = 'active'::app.policy_state);


--
-- Name: policy_holder_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX policy_holder_idx ON ONLY app.policy USING btree (holder_id);


--
-- Name: policy_dach_holder_id_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX policy_dach_holder_id_idx ON ONLY app.policy_dach USING btree (holder_id);


--
-- Name: policy_dach_de_holder_id_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX policy_dach_de_holder_id_idx ON app.policy_dach_de USING btree (holder_id);


--
-- Name: policy_dach_upper_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX policy_dach_upper_idx ON ONLY app.policy_dach USING btree (upper(cover)) WHERE (state = 'active'::app.policy_state);


--
-- Name: policy_dach_de_upper_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX policy_dach_de_upper_idx ON app.policy_dach_de USING btree (upper(cover)) WHERE (state = 'active'::app.policy_state);


--
-- Name: policy_dach_rest_holder_id_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX policy_dach_rest_holder_id_idx ON app.policy_dach_rest USING btree (holder_id);


--
-- Name: policy_dach_rest_upper_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX policy_dach_rest_upper_idx ON app.policy_dach_rest USING btree (upper(cover)) WHERE (state = 'active'::app.policy_state);


--
-- Name: policy_nordics_holder_id_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX policy_nordics_holder_id_idx ON app.policy_nordics USING btree (holder_id);


--
-- Name: policy_nordics_upper_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX policy_nordics_upper_idx ON app.policy_nordics USING btree (upper(cover)) WHERE (state = 'active'::app.policy_state);


--
-- Name: policy_other_holder_id_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX policy_other_holder_id_idx ON app.policy_other USING btree (holder_id);


--
-- Name: policy_other_upper_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX policy_other_upper_idx ON app.policy_other USING btree (upper(cover)) WHERE (state = 'active'::app.policy_state);


--
-- Name: policy_uk_holder_id_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX policy_uk_holder_id_idx ON app.policy_uk USING btree (holder_id);


--
-- Name: policy_uk_upper_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX policy_uk_upper_idx ON app.policy_uk USING btree (upper(cover)) WHERE (state = 'active'::app.policy_state);


--
-- Name: installment_2024_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.installment_pkey ATTACH PARTITION app.installment_2024_pkey;


--
-- Name: installment_2025_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.installment_pkey ATTACH PARTITION app.installment_2025_pkey;


--
-- Name: installment_2026h1_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.installment_pkey ATTACH PARTITION app.installment_2026h1_pkey;


--
-- Name: installment_2026h2_0_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.installment_2026h2_pkey ATTACH PARTITION app.installment_2026h2_0_pkey;


--
-- Name: installment_2026h2_1_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.installment_2026h2_pkey ATTACH PARTITION app.installment_2026h2_1_pkey;


--
-- Name: installment_2026h2_3_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.installment_2026h2_pkey ATTACH PARTITION app.installment_2026h2_3_pkey;


--
-- Name: installment_2026h2_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.installment_pkey ATTACH PARTITION app.installment_2026h2_pkey;


--
-- Name: payment_2025_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.payment_pkey ATTACH PARTITION app.payment_2025_pkey;


--
-- Name: payment_2025_region_policy_id_due_on_seq_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.payment_installment_idx ATTACH PARTITION app.payment_2025_region_policy_id_due_on_seq_idx;


--
-- Name: payment_2026_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.payment_pkey ATTACH PARTITION app.payment_2026_pkey;


--
-- Name: payment_2026_region_policy_id_due_on_seq_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.payment_installment_idx ATTACH PARTITION app.payment_2026_region_policy_id_due_on_seq_idx;


--
-- Name: payment_default_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.payment_pkey ATTACH PARTITION app.payment_default_pkey;


--
-- Name: payment_default_region_policy_id_due_on_seq_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.payment_installment_idx ATTACH PARTITION app.payment_default_region_policy_id_due_on_seq_idx;


--
-- Name: policy_dach_de_holder_id_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_dach_holder_id_idx ATTACH PARTITION app.policy_dach_de_holder_id_idx;


--
-- Name: policy_dach_de_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_dach_pkey ATTACH PARTITION app.policy_dach_de_pkey;


--
-- Name: policy_dach_de_region_policy_no_key; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_dach_region_policy_no_key ATTACH PARTITION app.policy_dach_de_region_policy_no_key;


--
-- Name: policy_dach_de_upper_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_dach_upper_idx ATTACH PARTITION app.policy_dach_de_upper_idx;


--
-- Name: policy_dach_holder_id_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_holder_idx ATTACH PARTITION app.policy_dach_holder_id_idx;


--
-- Name: policy_dach_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_pkey ATTACH PARTITION app.policy_dach_pkey;


--
-- Name: policy_dach_region_policy_no_key; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_region_policy_no_key ATTACH PARTITION app.policy_dach_region_policy_no_key;


--
-- Name: policy_dach_rest_holder_id_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_dach_holder_id_idx ATTACH PARTITION app.policy_dach_rest_holder_id_idx;


--
-- Name: policy_dach_rest_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_dach_pkey ATTACH PARTITION app.policy_dach_rest_pkey;


--
-- Name: policy_dach_rest_region_policy_no_key; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_dach_region_policy_no_key ATTACH PARTITION app.policy_dach_rest_region_policy_no_key;


--
-- Name: policy_dach_rest_upper_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_dach_upper_idx ATTACH PARTITION app.policy_dach_rest_upper_idx;


--
-- Name: policy_dach_upper_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_active_idx ATTACH PARTITION app.policy_dach_upper_idx;


--
-- Name: policy_nordics_holder_id_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_holder_idx ATTACH PARTITION app.policy_nordics_holder_id_idx;


--
-- Name: policy_nordics_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_pkey ATTACH PARTITION app.policy_nordics_pkey;


--
-- Name: policy_nordics_region_policy_no_key; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_region_policy_no_key ATTACH PARTITION app.policy_nordics_region_policy_no_key;


--
-- Name: policy_nordics_upper_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_active_idx ATTACH PARTITION app.policy_nordics_upper_idx;


--
-- Name: policy_other_holder_id_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_holder_idx ATTACH PARTITION app.policy_other_holder_id_idx;


--
-- Name: policy_other_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_pkey ATTACH PARTITION app.policy_other_pkey;


--
-- Name: policy_other_region_policy_no_key; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_region_policy_no_key ATTACH PARTITION app.policy_other_region_policy_no_key;


--
-- Name: policy_other_upper_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_active_idx ATTACH PARTITION app.policy_other_upper_idx;


--
-- Name: policy_uk_holder_id_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_holder_idx ATTACH PARTITION app.policy_uk_holder_id_idx;


--
-- Name: policy_uk_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_pkey ATTACH PARTITION app.policy_uk_pkey;


--
-- Name: policy_uk_region_policy_no_key; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_region_policy_no_key ATTACH PARTITION app.policy_uk_region_policy_no_key;


--
-- Name: policy_uk_upper_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.policy_active_idx ATTACH PARTITION app.policy_uk_upper_idx;


--
-- Name: telemetry_0_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.telemetry_pkey ATTACH PARTITION app.telemetry_0_pkey;


--
-- Name: telemetry_1_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.telemetry_pkey ATTACH PARTITION app.telemetry_1_pkey;


--
-- Name: log_current_pkey; Type: INDEX ATTACH; Schema: audit; Owner: insurance_auditor
--

ALTER INDEX audit.log_pkey ATTACH PARTITION audit.log_current_pkey;


--
-- Name: log_old_pkey; Type: INDEX ATTACH; Schema: audit; Owner: insurance_auditor
--

ALTER INDEX audit.log_pkey ATTACH PARTITION audit.log_old_pkey;


--
-- Name: claim_month; Type: STATISTICS; Schema: app; Owner: postgres
--

CREATE STATISTICS app.claim_month ON date_trunc('month'::text, (reported_at AT TIME ZONE 'UTC'::text)) FROM app.claim;


ALTER STATISTICS app.claim_month OWNER TO postgres;

--
-- Name: claim_state_mcv; Type: STATISTICS; Schema: app; Owner: postgres
--

CREATE STATISTICS app.claim_state_mcv (mcv) ON peril_id, state FROM app.claim;


ALTER STATISTICS app.claim_state_mcv OWNER TO postgres;

--
-- Name: policy_region_currency; Type: STATISTICS; Schema: app; Owner: postgres
--

CREATE STATISTICS app.policy_region_currency (ndistinct, dependencies) ON region, currency FROM app.policy;


ALTER STATISTICS app.policy_region_currency OWNER TO postgres;

--
-- Name: feature_flag feature_flag_no_delete; Type: RULE; Schema: app; Owner: postgres
--

CREATE RULE feature_flag_no_delete AS
    ON DELETE TO app.feature_flag DO INSTEAD  UPDATE app.feature_flag SET enabled = false
  WHERE (feature_flag.name = old.name);


--
-- Name: bank_account bank_account_audit; Type: TRIGGER; Schema: app; Owner: postgres
--

CREATE TRIGGER bank_account_audit AFTER UPDATE OF iban ON app.bank_account FOR EACH ROW EXECUTE FUNCTION audit.write_log();


--
-- Name: claim claim_audit; Type: TRIGGER; Schema: app; Owner: postgres
--

CREATE TRIGGER claim_audit AFTER INSERT OR DELETE OR UPDATE ON app.claim FOR EACH ROW EXECUTE FUNCTION audit.write_log();


--
-- Name: claim claim_guard; Type: TRIGGER; Schema: app; Owner: postgres
--

CREATE TRIGGER claim_guard BEFORE INSERT OR UPDATE ON app.claim FOR EACH ROW EXECUTE FUNCTION app.claim_guard();


--
-- Name: claim claim_updated; Type: TRIGGER; Schema: app; Owner: postgres
--

CREATE TRIGGER claim_updated BEFORE UPDATE ON app.claim FOR EACH ROW WHEN (((old.state IS DISTINCT FROM new.state) OR (old.narrative IS DISTINCT FROM new.narrative))) EXECUTE FUNCTION app.set_updated_at();


--
-- Name: organisation organisation_kind; Type: TRIGGER; Schema: app; Owner: postgres
--

CREATE TRIGGER organisation_kind BEFORE INSERT ON app.organisation FOR EACH ROW EXECUTE FUNCTION app.kind_matches('organisation');


--
-- Name: party party_updated; Type: TRIGGER; Schema: app; Owner: postgres
--

CREATE TRIGGER party_updated BEFORE INSERT OR UPDATE ON app.party FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();


--
-- Name: person person_kind; Type: TRIGGER; Schema: app; Owner: postgres
--

CREATE TRIGGER person_kind BEFORE INSERT ON app.person FOR EACH ROW EXECUTE FUNCTION app.kind_matches('person');


--
-- Name: policy policy_audit; Type: TRIGGER; Schema: app; Owner: postgres
--

CREATE TRIGGER policy_audit AFTER INSERT OR UPDATE ON app.policy FOR EACH ROW EXECUTE FUNCTION audit.write_log();


--
-- Name: policy policy_updated; Type: TRIGGER; Schema: app; Owner: postgres
--

CREATE TRIGGER policy_updated BEFORE INSERT OR UPDATE ON app.policy FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();


--
-- Name: appointment appointment_assessor_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.appointment
    ADD CONSTRAINT appointment_assessor_id_fkey FOREIGN KEY (assessor_id) REFERENCES app.staff(id);


--
-- Name: appointment appointment_claim_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.appointment
    ADD CONSTRAINT appointment_claim_id_fkey FOREIGN KEY (claim_id) REFERENCES app.claim(id);


--
-- Name: bank_account bank_account_party_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.bank_account
    ADD CONSTRAINT bank_account_party_id_fkey FOREIGN KEY (party_id) REFERENCES app.party(id);


--
-- Name: broker broker_account_manager_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.broker
    ADD CONSTRAINT broker_account_manager_fkey FOREIGN KEY (account_manager) REFERENCES app.staff(id) ON DELETE SET DEFAULT;


--
-- Name: broker broker_party_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.broker
    ADD CONSTRAINT broker_party_id_fkey FOREIGN KEY (party_id) REFERENCES app.party(id);


--
-- Name: card card_party_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.card
    ADD CONSTRAINT card_party_id_fkey FOREIGN KEY (party_id) REFERENCES app.party(id) ON DELETE CASCADE;


--
-- Name: claim claim_handler_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.claim
    ADD CONSTRAINT claim_handler_id_fkey FOREIGN KEY (handler_id) REFERENCES app.staff(id) ON DELETE SET NULL;


--
-- Name: claim_note claim_note_author_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.claim_note
    ADD CONSTRAINT claim_note_author_id_fkey FOREIGN KEY (author_id) REFERENCES app.staff(id);


--
-- Name: claim_note claim_note_claim_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.claim_note
    ADD CONSTRAINT claim_note_claim_id_fkey FOREIGN KEY (claim_id) REFERENCES app.claim(id) ON DELETE CASCADE;


--
-- Name: claim_note claim_note_claim_id_reply_to_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.claim_note
    ADD CONSTRAINT claim_note_claim_id_reply_to_fkey FOREIGN KEY (claim_id, reply_to) REFERENCES app.claim_note(claim_id, id);


--
-- Name: claim_party claim_party_claim_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.claim_party
    ADD CONSTRAINT claim_party_claim_id_fkey FOREIGN KEY (claim_id) REFERENCES app.claim(id) ON DELETE CASCADE;


--
-- Name: claim_party claim_party_party_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.claim_party
    ADD CONSTRAINT claim_party_party_id_fkey FOREIGN KEY (party_id) REFERENCES app.party(id);


--
-- Name: claim claim_region_policy_id_peril_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.claim
    ADD CONSTRAINT claim_region_policy_id_peril_id_fkey FOREIGN KEY (region, policy_id, peril_id) REFERENCES app.policy_peril(region, policy_id, peril_id);


--
-- Name: device device_party_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.device
    ADD CONSTRAINT device_party_id_fkey FOREIGN KEY (party_id) REFERENCES app.party(id) ON DELETE SET NULL;


--
-- Name: document document_claim_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.document
    ADD CONSTRAINT document_claim_id_fkey FOREIGN KEY (claim_id) REFERENCES app.claim(id);


--
-- Name: document document_region_policy_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.document
    ADD CONSTRAINT document_region_policy_id_fkey FOREIGN KEY (region, policy_id) REFERENCES app.policy(region, id) MATCH FULL;


--
-- Name: installment installment_region_policy_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE app.installment
    ADD CONSTRAINT installment_region_policy_id_fkey FOREIGN KEY (region, policy_id) REFERENCES app.policy(region, id) ON UPDATE CASCADE;


--
-- Name: insured_object insured_object_region_policy_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.insured_object
    ADD CONSTRAINT insured_object_region_policy_id_fkey FOREIGN KEY (region, policy_id) REFERENCES app.policy(region, id);


--
-- Name: organisation organisation_parent_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.organisation
    ADD CONSTRAINT organisation_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES app.organisation(party_id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: organisation organisation_party_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.organisation
    ADD CONSTRAINT organisation_party_id_fkey FOREIGN KEY (party_id) REFERENCES app.party(id) ON DELETE CASCADE;


--
-- Name: party party_country_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.party
    ADD CONSTRAINT party_country_fkey FOREIGN KEY (country) REFERENCES ref.country(code) DEFERRABLE;


--
-- Name: party_relation party_relation_a_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.party_relation
    ADD CONSTRAINT party_relation_a_fkey FOREIGN KEY (a) REFERENCES app.party(id) ON DELETE CASCADE;


--
-- Name: party_relation party_relation_b_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.party_relation
    ADD CONSTRAINT party_relation_b_fkey FOREIGN KEY (b) REFERENCES app.party(id) ON DELETE CASCADE;


--
-- Name: payment payment_account_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE app.payment
    ADD CONSTRAINT payment_account_id_fkey FOREIGN KEY (account_id) REFERENCES app.bank_account(id);


--
-- Name: payment payment_card_pan_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE app.payment
    ADD CONSTRAINT payment_card_pan_fkey FOREIGN KEY (card_pan) REFERENCES app.card(pan) ON UPDATE CASCADE;


--
-- Name: payment payment_region_policy_id_due_on_seq_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE app.payment
    ADD CONSTRAINT payment_region_policy_id_due_on_seq_fkey FOREIGN KEY (region, policy_id, due_on, seq) REFERENCES app.installment(region, policy_id, due_on, seq);


--
-- Name: person person_party_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.person
    ADD CONSTRAINT person_party_id_fkey FOREIGN KEY (party_id) REFERENCES app.party(id) ON DELETE CASCADE;


--
-- Name: policy policy_broker_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE app.policy
    ADD CONSTRAINT policy_broker_id_fkey FOREIGN KEY (broker_id) REFERENCES app.broker(party_id);


--
-- Name: policy policy_currency_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE app.policy
    ADD CONSTRAINT policy_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currency(code);


--
-- Name: policy policy_holder_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE app.policy
    ADD CONSTRAINT policy_holder_id_fkey FOREIGN KEY (holder_id) REFERENCES app.party(id);


--
-- Name: policy policy_line_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE app.policy
    ADD CONSTRAINT policy_line_fkey FOREIGN KEY (line) REFERENCES ref.product_line(code);


--
-- Name: policy_peril policy_peril_peril_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_peril
    ADD CONSTRAINT policy_peril_peril_id_fkey FOREIGN KEY (peril_id) REFERENCES ref.peril(id);


--
-- Name: policy_peril policy_peril_region_policy_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.policy_peril
    ADD CONSTRAINT policy_peril_region_policy_id_fkey FOREIGN KEY (region, policy_id) REFERENCES app.policy(region, id) ON DELETE CASCADE;


--
-- Name: staff staff_manager_id_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.staff
    ADD CONSTRAINT staff_manager_id_fkey FOREIGN KEY (manager_id) REFERENCES app.staff(id);


--
-- Name: telemetry telemetry_mac_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE app.telemetry
    ADD CONSTRAINT telemetry_mac_fkey FOREIGN KEY (mac) REFERENCES app.device(mac);


--
-- Name: holiday holiday_country_fkey; Type: FK CONSTRAINT; Schema: ref; Owner: postgres
--

ALTER TABLE ONLY ref.holiday
    ADD CONSTRAINT holiday_country_fkey FOREIGN KEY (country) REFERENCES ref.country(code);


--
-- Name: product_line product_line_parent_fkey; Type: FK CONSTRAINT; Schema: ref; Owner: postgres
--

ALTER TABLE ONLY ref.product_line
    ADD CONSTRAINT product_line_parent_fkey FOREIGN KEY (parent) REFERENCES ref.product_line(code);


--
-- Name: bank_account; Type: ROW SECURITY; Schema: app; Owner: postgres
--

ALTER TABLE app.bank_account ENABLE ROW LEVEL SECURITY;

--
-- Name: bank_account bank_account_all; Type: POLICY; Schema: app; Owner: postgres
--

CREATE POLICY bank_account_all ON app.bank_account USING (true);


--
-- Name: bank_account bank_account_verified; Type: POLICY; Schema: app; Owner: postgres
--

CREATE POLICY bank_account_verified ON app.bank_account AS RESTRICTIVE FOR DELETE TO insurance_app USING ((NOT verified));


--
-- Name: claim; Type: ROW SECURITY; Schema: app; Owner: postgres
--

ALTER TABLE app.claim ENABLE ROW LEVEL SECURITY;

--
-- Name: claim claim_handlers; Type: POLICY; Schema: app; Owner: postgres
--

CREATE POLICY claim_handlers ON app.claim TO insurance_app USING (true) WITH CHECK ((reserve_cents < 50000000));


--
-- Name: claim claim_readers; Type: POLICY; Schema: app; Owner: postgres
--

CREATE POLICY claim_readers ON app.claim FOR SELECT TO insurance_readonly USING ((state <> 'reported'::app.claim_state));


--
-- Name: SCHEMA app; Type: ACL; Schema: -; Owner: postgres
--

GRANT USAGE ON SCHEMA app TO insurance_app;
GRANT USAGE ON SCHEMA app TO insurance_readonly;


--
-- Name: SCHEMA audit; Type: ACL; Schema: -; Owner: postgres
--

GRANT USAGE ON SCHEMA audit TO insurance_auditor;


--
-- Name: SCHEMA ref; Type: ACL; Schema: -; Owner: postgres
--

GRANT USAGE ON SCHEMA ref TO insurance_app;
GRANT USAGE ON SCHEMA ref TO insurance_readonly;


--
-- Name: FUNCTION write_log(); Type: ACL; Schema: audit; Owner: postgres
--

REVOKE ALL ON FUNCTION audit.write_log() FROM PUBLIC;


--
-- Name: TABLE policy; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.policy TO insurance_app;
GRANT SELECT ON TABLE app.policy TO insurance_readonly;


--
-- Name: TABLE active_policy; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.active_policy TO insurance_app;


--
-- Name: TABLE appointment; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.appointment TO insurance_app;


--
-- Name: SEQUENCE appointment_id_seq; Type: ACL; Schema: app; Owner: postgres
--

GRANT USAGE ON SEQUENCE app.appointment_id_seq TO insurance_app;


--
-- Name: TABLE bank_account; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.bank_account TO insurance_app;


--
-- Name: SEQUENCE bank_account_id_seq; Type: ACL; Schema: app; Owner: postgres
--

GRANT USAGE ON SEQUENCE app.bank_account_id_seq TO insurance_app;


--
-- Name: TABLE broker; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.broker TO insurance_app;


--
-- Name: TABLE card; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.card TO insurance_app;


--
-- Name: TABLE claim; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.claim TO insurance_app;
GRANT SELECT ON TABLE app.claim TO insurance_readonly;


--
-- Name: SEQUENCE claim_id_seq; Type: ACL; Schema: app; Owner: postgres
--

GRANT USAGE ON SEQUENCE app.claim_id_seq TO insurance_app;


--
-- Name: TABLE claim_note; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.claim_note TO insurance_app;


--
-- Name: SEQUENCE claim_note_id_seq; Type: ACL; Schema: app; Owner: postgres
--

GRANT USAGE ON SEQUENCE app.claim_note_id_seq TO insurance_app;


--
-- Name: TABLE claim_party; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.claim_party TO insurance_app;


--
-- Name: TABLE device; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.device TO insurance_app;


--
-- Name: SEQUENCE document_no; Type: ACL; Schema: app; Owner: postgres
--

GRANT USAGE ON SEQUENCE app.document_no TO insurance_app;


--
-- Name: TABLE document; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.document TO insurance_app;


--
-- Name: TABLE feature_flag; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.feature_flag TO insurance_app;


--
-- Name: TABLE installment; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.installment TO insurance_app;


--
-- Name: TABLE installment_2024; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.installment_2024 TO insurance_app;


--
-- Name: TABLE installment_2025; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.installment_2025 TO insurance_app;


--
-- Name: TABLE installment_2026h1; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.installment_2026h1 TO insurance_app;


--
-- Name: TABLE installment_2026h2; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.installment_2026h2 TO insurance_app;


--
-- Name: TABLE installment_2026h2_0; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.installment_2026h2_0 TO insurance_app;


--
-- Name: TABLE installment_2026h2_1; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.installment_2026h2_1 TO insurance_app;


--
-- Name: TABLE installment_2026h2_3; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.installment_2026h2_3 TO insurance_app;


--
-- Name: TABLE insured_object; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.insured_object TO insurance_app;


--
-- Name: TABLE insured_building; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.insured_building TO insurance_app;


--
-- Name: TABLE insured_vehicle; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.insured_vehicle TO insurance_app;


--
-- Name: TABLE loss_ratio; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.loss_ratio TO insurance_app;


--
-- Name: TABLE organisation; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.organisation TO insurance_app;


--
-- Name: TABLE party; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.party TO insurance_app;
GRANT SELECT ON TABLE app.party TO insurance_readonly;


--
-- Name: SEQUENCE party_id_seq; Type: ACL; Schema: app; Owner: postgres
--

GRANT USAGE ON SEQUENCE app.party_id_seq TO insurance_app;


--
-- Name: TABLE party_relation; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.party_relation TO insurance_app;


--
-- Name: TABLE payment; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.payment TO insurance_app;


--
-- Name: TABLE payment_2025; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.payment_2025 TO insurance_app;


--
-- Name: TABLE payment_2026; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.payment_2026 TO insurance_app;


--
-- Name: TABLE payment_default; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.payment_default TO insurance_app;


--
-- Name: SEQUENCE payment_id_seq; Type: ACL; Schema: app; Owner: postgres
--

GRANT USAGE ON SEQUENCE app.payment_id_seq TO insurance_app;


--
-- Name: TABLE person; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.person TO insurance_app;


--
-- Name: TABLE policy_dach; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.policy_dach TO insurance_app;


--
-- Name: TABLE policy_dach_de; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.policy_dach_de TO insurance_app;


--
-- Name: TABLE policy_dach_rest; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.policy_dach_rest TO insurance_app;


--
-- Name: SEQUENCE policy_id_seq; Type: ACL; Schema: app; Owner: postgres
--

GRANT USAGE ON SEQUENCE app.policy_id_seq TO insurance_app;


--
-- Name: TABLE policy_nordics; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.policy_nordics TO insurance_app;


--
-- Name: TABLE policy_other; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.policy_other TO insurance_app;


--
-- Name: TABLE policy_peril; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.policy_peril TO insurance_app;


--
-- Name: TABLE policy_uk; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.policy_uk TO insurance_app;


--
-- Name: TABLE quote_cache; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.quote_cache TO insurance_app;


--
-- Name: TABLE small_claim; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.small_claim TO insurance_app;


--
-- Name: TABLE staff; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.staff TO insurance_app;


--
-- Name: COLUMN staff.id; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT(id),REFERENCES(id) ON TABLE app.staff TO insurance_readonly;


--
-- Name: COLUMN staff.full_name; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT(full_name) ON TABLE app.staff TO insurance_readonly;


--
-- Name: SEQUENCE staff_id_seq; Type: ACL; Schema: app; Owner: postgres
--

GRANT USAGE ON SEQUENCE app.staff_id_seq TO insurance_app;


--
-- Name: TABLE telemetry; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.telemetry TO insurance_app;


--
-- Name: TABLE telemetry_0; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.telemetry_0 TO insurance_app;


--
-- Name: TABLE telemetry_1; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.telemetry_1 TO insurance_app;


--
-- Name: TABLE ledger_check; Type: ACL; Schema: audit; Owner: postgres
--

GRANT SELECT ON TABLE audit.ledger_check TO insurance_auditor;


--
-- Name: TABLE log_current; Type: ACL; Schema: audit; Owner: postgres
--

GRANT SELECT ON TABLE audit.log_current TO insurance_auditor;


--
-- Name: TABLE log_old; Type: ACL; Schema: audit; Owner: postgres
--

GRANT SELECT ON TABLE audit.log_old TO insurance_auditor;


--
-- Name: TABLE login_attempt; Type: ACL; Schema: audit; Owner: postgres
--

GRANT SELECT ON TABLE audit.login_attempt TO insurance_auditor;


--
-- Name: DEFAULT PRIVILEGES FOR TABLES; Type: DEFAULT ACL; Schema: app; Owner: postgres
--

ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA app GRANT SELECT ON TABLES  TO insurance_readonly;


--
-- PostgreSQL database dump complete
--

\unrestrict 2K4j4zCePa4aTa2lgL3bdWWZaQof3dkaVtgEeyWsSvwH0RBgVRVTAbrdrQ78wMk

