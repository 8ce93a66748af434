-- A community-edited music encyclopaedia.
--
--   public       the encyclopaedia itself
--   moderation   editors, their edits and votes, collections, subscriptions
--   art_archive  images of releases and events
--   statistics   counted nightly
--
-- Tables first, then primary keys, indexes, foreign keys and triggers, so that
-- a data dump can be loaded in between.

\set ON_ERROR_STOP 1

BEGIN;

SET client_min_messages = warning;

CREATE SCHEMA moderation;
CREATE SCHEMA art_archive;
CREATE SCHEMA statistics;

CREATE TYPE cover_art_presence AS ENUM ('absent', 'present', 'withheld');
CREATE TYPE challenge_method AS ENUM ('plain', 'S256');

-- Trimmed, single spaces only and nothing unprintable.
CREATE OR REPLACE FUNCTION controlled_for_whitespace(t TEXT) RETURNS boolean AS $$
  SELECT t = btrim(regexp_replace(t, '[[:space:]]+', ' ', 'g')) AND t !~ '[[:cntrl:]]';
$$ LANGUAGE sql IMMUTABLE STRICT;

-- Incomplete dates are compared as far as both sides are known.
CREATE OR REPLACE FUNCTION dates_in_order(
  by SMALLINT, bm SMALLINT, bd SMALLINT, ey SMALLINT, em SMALLINT, ed SMALLINT
) RETURNS boolean AS $$
  SELECT CASE
    WHEN by IS NULL OR ey IS NULL OR by < ey THEN TRUE
    WHEN by > ey THEN FALSE
    WHEN bm IS NULL OR em IS NULL OR bm < em THEN TRUE
    WHEN bm > em THEN FALSE
    ELSE bd IS NULL OR ed IS NULL OR bd <= ed
  END;
$$ LANGUAGE sql IMMUTABLE;

CREATE OR REPLACE FUNCTION make_date_or_null(y SMALLINT, m SMALLINT, d SMALLINT) RETURNS date AS $$
BEGIN
  RETURN make_date(y, m, d);
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format THEN
  RETURN NULL;
END;
$$ LANGUAGE plpgsql IMMUTABLE;

--------------------------------------------------------------------------------
-- Tables
--------------------------------------------------------------------------------

CREATE TABLE language (
    id          SERIAL, -- PK
    iso_code_2t CHAR(3),
    iso_code_2b CHAR(3),
    iso_code_1  CHAR(2),
    iso_code_3  CHAR(3),
    name        VARCHAR(100) NOT NULL,
    frequency   SMALLINT NOT NULL DEFAULT 0,
    CONSTRAINT language_has_code CHECK (iso_code_2t IS NOT NULL OR iso_code_3 IS NOT NULL),
    CONSTRAINT language_lower CHECK (iso_code_1 ~ '^[a-z]{2}$' AND iso_code_3 ~ '^[a-z]{3}$')
);

CREATE TABLE script (
    id         SERIAL, -- PK
    iso_code   CHAR(4) NOT NULL CHECK (iso_code ~ '^[A-Z][a-z]{3}$'),
    iso_number CHAR(3) NOT NULL CHECK (iso_number ~ '^[0-9]{3}$'),
    name       VARCHAR(100) NOT NULL,
    frequency  SMALLINT NOT NULL DEFAULT 0
);

CREATE TABLE area_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references area_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT area_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE artist_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references artist_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT artist_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE event_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references event_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT event_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE instrument_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references instrument_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT instrument_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE label_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references label_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT label_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE place_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references place_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT place_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE release_group_primary_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references release_group_primary_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT release_group_primary_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE release_group_secondary_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references release_group_secondary_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT release_group_secondary_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE series_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references series_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT series_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE work_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references work_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT work_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE release_status (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references release_status.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT release_status_not_own_parent CHECK (parent <> id)
);

CREATE TABLE release_packaging (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references release_packaging.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT release_packaging_not_own_parent CHECK (parent <> id)
);

CREATE TABLE area_alias_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references area_alias_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT area_alias_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE artist_alias_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references artist_alias_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT artist_alias_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE event_alias_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references event_alias_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT event_alias_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE instrument_alias_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references instrument_alias_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT instrument_alias_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE label_alias_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references label_alias_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT label_alias_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE place_alias_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references place_alias_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT place_alias_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE recording_alias_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references recording_alias_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT recording_alias_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE release_alias_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references release_alias_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT release_alias_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE release_group_alias_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references release_group_alias_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT release_group_alias_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE series_alias_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references series_alias_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT series_alias_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE work_alias_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references work_alias_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT work_alias_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE work_attribute_type (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references work_attribute_type.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT work_attribute_type_not_own_parent CHECK (parent <> id)
);

CREATE TABLE gender (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(255) NOT NULL,
    parent      INTEGER, -- references gender.id
    child_order INTEGER NOT NULL DEFAULT 0,
    description TEXT,
    CONSTRAINT gender_not_own_parent CHECK (parent <> id)
);

CREATE TABLE medium_format (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    name        VARCHAR(100) NOT NULL,
    parent      INTEGER, -- references medium_format.id
    child_order INTEGER NOT NULL DEFAULT 0,
    year        SMALLINT CHECK (year BETWEEN 1860 AND 2100),
    has_discids BOOLEAN NOT NULL DEFAULT FALSE,
    description TEXT
);

CREATE TABLE moderation.editor ( -- accounts
    id                 SERIAL, -- PK
    name               VARCHAR(64) NOT NULL,
    privilege_bits     INTEGER DEFAULT 0 CHECK (privilege_bits >= 0),
    email              VARCHAR(254),
    website            VARCHAR(255) CHECK (website ~ '^https?://'),
    bio                TEXT,
    member_since       TIMESTAMP WITH TIME ZONE DEFAULT now(),
    email_confirm_date TIMESTAMP WITH TIME ZONE,
    last_login_date    TIMESTAMP WITH TIME ZONE DEFAULT now(),
    last_updated       TIMESTAMP WITH TIME ZONE DEFAULT now(),
    birth_date         DATE CHECK (birth_date > '1900-01-01'),
    gender             INTEGER, -- references gender.id
    area               INTEGER, -- references area.id
    password           VARCHAR(128) NOT NULL,
    login_digest       CHAR(32) NOT NULL CHECK (login_digest ~ '^[0-9a-f]{32}$'),
    deleted            BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT editor_confirmed_email CHECK (email_confirm_date IS NULL OR email IS NOT NULL),
    CONSTRAINT editor_deleted_blank CHECK (NOT deleted OR (email IS NULL AND bio IS NULL AND website IS NULL))
);

CREATE TABLE annotation (
    id        SERIAL, -- PK
    editor    INTEGER NOT NULL, -- references moderation.editor.id
    text      TEXT CHECK (controlled_for_whitespace(text) OR text LIKE E'%\n%'),
    changelog VARCHAR(255),
    created   TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE tag (
    id        SERIAL, -- PK
    name      VARCHAR(255) NOT NULL CHECK (name = lower(name) AND controlled_for_whitespace(name)),
    ref_count INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE artist_credit (
    id            SERIAL, -- PK
    name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    artist_count  SMALLINT NOT NULL CHECK (artist_count > 0),
    ref_count     INTEGER DEFAULT 0,
    created       TIMESTAMP WITH TIME ZONE DEFAULT now(),
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    gid           UUID NOT NULL
);

CREATE TABLE area (
    id               SERIAL, -- PK
    gid              UUID NOT NULL,
    name             VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    type             INTEGER, -- references area_type.id
    begin_date_year  SMALLINT,
    begin_date_month SMALLINT,
    begin_date_day   SMALLINT,
    end_date_year    SMALLINT,
    end_date_month   SMALLINT,
    end_date_day     SMALLINT,
    ended            BOOLEAN NOT NULL DEFAULT FALSE,
    comment          VARCHAR(255) NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(comment)),
    edits_pending    INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated     TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT area_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT area_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT area_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT area_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT area_end_known_means_ended CHECK (num_nulls(end_date_year, end_date_month, end_date_day) = 3 OR ended),
    CONSTRAINT area_date_order CHECK (dates_in_order(begin_date_year, begin_date_month, begin_date_day, end_date_year, end_date_month, end_date_day))
);

CREATE TABLE area_gid_redirect (
    gid     UUID NOT NULL, -- PK
    new_id  INTEGER NOT NULL, -- references area.id
    created TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE area_alias (
    id                 SERIAL, -- PK
    area               INTEGER NOT NULL, -- references area.id
    name               VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    locale             TEXT,
    edits_pending      INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated       TIMESTAMP WITH TIME ZONE DEFAULT now(),
    type               INTEGER, -- references area_alias_type.id
    sort_name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(sort_name) AND sort_name <> ''),
    begin_date_year    SMALLINT,
    begin_date_month   SMALLINT,
    begin_date_day     SMALLINT,
    end_date_year      SMALLINT,
    end_date_month     SMALLINT,
    end_date_day       SMALLINT,
    primary_for_locale BOOLEAN NOT NULL DEFAULT FALSE,
    ended              BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT area_alias_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT area_alias_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT area_alias_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT area_alias_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT area_alias_end_known_means_ended CHECK (num_nulls(end_date_year, end_date_month, end_date_day) = 3 OR ended),
    CONSTRAINT area_alias_date_order CHECK (dates_in_order(begin_date_year, begin_date_month, begin_date_day, end_date_year, end_date_month, end_date_day)),
    CONSTRAINT area_alias_primary_has_locale CHECK (NOT primary_for_locale OR locale IS NOT NULL),
    CONSTRAINT area_alias_search_hints_are_plain CHECK (type IS DISTINCT FROM 2 OR (sort_name = name AND locale IS NULL AND NOT primary_for_locale AND begin_date_year IS NULL AND end_date_year IS NULL))
);

CREATE TABLE area_annotation (
    area       INTEGER NOT NULL, -- PK, references area.id
    annotation INTEGER NOT NULL -- PK, references annotation.id
);

CREATE TABLE area_tag (
    area         INTEGER NOT NULL, -- PK, references area.id
    tag          INTEGER NOT NULL, -- PK, references tag.id
    count        INTEGER NOT NULL CHECK (count >= 0),
    last_updated TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE artist (
    id               SERIAL, -- PK
    gid              UUID NOT NULL,
    name             VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    sort_name        VARCHAR NOT NULL CHECK (controlled_for_whitespace(sort_name) AND sort_name <> ''),
    area             INTEGER, -- references area.id
    begin_area       INTEGER, -- references area.id
    end_area         INTEGER, -- references area.id
    gender           INTEGER, -- references gender.id
    type             INTEGER, -- references artist_type.id
    begin_date_year  SMALLINT,
    begin_date_month SMALLINT,
    begin_date_day   SMALLINT,
    end_date_year    SMALLINT,
    end_date_month   SMALLINT,
    end_date_day     SMALLINT,
    ended            BOOLEAN NOT NULL DEFAULT FALSE,
    comment          VARCHAR(255) NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(comment)),
    edits_pending    INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated     TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT artist_groups_have_no_gender CHECK (gender IS NULL OR type IS NULL OR type NOT IN (2, 5, 6)),
    CONSTRAINT artist_end_area_needs_ended CHECK (end_area IS NULL OR ended),
    CONSTRAINT artist_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT artist_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT artist_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT artist_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT artist_end_known_means_ended CHECK (ended OR num_nonnulls(end_date_year, end_date_month, end_date_day) = 0),
    CONSTRAINT artist_date_order CHECK (dates_in_order(begin_date_year, begin_date_month, begin_date_day, end_date_year, end_date_month, end_date_day))
);

CREATE TABLE artist_gid_redirect (
    gid     UUID NOT NULL, -- PK
    new_id  INTEGER NOT NULL, -- references artist.id
    created TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE artist_alias (
    id                 SERIAL, -- PK
    artist             INTEGER NOT NULL, -- references artist.id
    name               VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    locale             TEXT,
    edits_pending      INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated       TIMESTAMP WITH TIME ZONE DEFAULT now(),
    type               INTEGER, -- references artist_alias_type.id
    sort_name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(sort_name) AND sort_name <> ''),
    begin_date_year    SMALLINT,
    begin_date_month   SMALLINT,
    begin_date_day     SMALLINT,
    end_date_year      SMALLINT,
    end_date_month     SMALLINT,
    end_date_day       SMALLINT,
    primary_for_locale BOOLEAN NOT NULL DEFAULT FALSE,
    ended              BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT artist_alias_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT artist_alias_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT artist_alias_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT artist_alias_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT artist_alias_end_known_means_ended CHECK (ended OR num_nonnulls(end_date_year, end_date_month, end_date_day) = 0),
    CONSTRAINT artist_alias_date_order CHECK (dates_in_order(begin_date_year, begin_date_month, begin_date_day, end_date_year, end_date_month, end_date_day)),
    CONSTRAINT artist_alias_primary_has_locale CHECK (NOT primary_for_locale OR locale IS NOT NULL),
    CONSTRAINT artist_alias_search_hints_are_plain CHECK (type IS DISTINCT FROM 2 OR (sort_name = name AND locale IS NULL AND NOT primary_for_locale AND begin_date_year IS NULL AND end_date_year IS NULL))
);

CREATE TABLE artist_annotation (
    artist     INTEGER NOT NULL, -- PK, references artist.id
    annotation INTEGER NOT NULL -- PK, references annotation.id
);

CREATE TABLE artist_tag (
    artist       INTEGER NOT NULL, -- PK, references artist.id
    tag          INTEGER NOT NULL, -- PK, references tag.id
    count        INTEGER NOT NULL CHECK (count >= 0),
    last_updated TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE artist_meta (
    id           INTEGER NOT NULL, -- PK, references artist.id
    rating       SMALLINT CHECK (rating >= 0 AND rating <= 100),
    rating_count INTEGER CHECK (rating_count >= 0),
    CONSTRAINT artist_meta_rated CHECK ((rating IS NULL) = (COALESCE(rating_count, 0) = 0))
);

CREATE TABLE moderation.artist_rating (
    artist INTEGER NOT NULL, -- PK, references artist.id
    editor INTEGER NOT NULL, -- PK, references moderation.editor.id
    rating SMALLINT NOT NULL CHECK (rating >= 0 AND rating <= 100)
);

CREATE TABLE event (
    id               SERIAL, -- PK
    gid              UUID NOT NULL,
    name             VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    time             TIME WITHOUT TIME ZONE,
    cancelled        BOOLEAN NOT NULL DEFAULT FALSE,
    setlist          TEXT,
    type             INTEGER, -- references event_type.id
    begin_date_year  SMALLINT,
    begin_date_month SMALLINT,
    begin_date_day   SMALLINT,
    end_date_year    SMALLINT,
    end_date_month   SMALLINT,
    end_date_day     SMALLINT,
    ended            BOOLEAN NOT NULL DEFAULT FALSE,
    comment          VARCHAR(255) NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(comment)),
    edits_pending    INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated     TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT event_time_needs_day CHECK ("time" IS NULL OR begin_date_day IS NOT NULL),
    CONSTRAINT event_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT event_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT event_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT event_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT event_end_known_means_ended CHECK ((end_date_year IS NULL OR ended) AND (end_date_month IS NULL OR ended) AND (end_date_day IS NULL OR ended)),
    CONSTRAINT event_date_order CHECK (dates_in_order(begin_date_year, begin_date_month, begin_date_day, end_date_year, end_date_month, end_date_day))
);

CREATE TABLE event_gid_redirect (
    gid     UUID NOT NULL, -- PK
    new_id  INTEGER NOT NULL, -- references event.id
    created TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE event_alias (
    id                 SERIAL, -- PK
    event              INTEGER NOT NULL, -- references event.id
    name               VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    locale             TEXT,
    edits_pending      INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated       TIMESTAMP WITH TIME ZONE DEFAULT now(),
    type               INTEGER, -- references event_alias_type.id
    sort_name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(sort_name) AND sort_name <> ''),
    begin_date_year    SMALLINT,
    begin_date_month   SMALLINT,
    begin_date_day     SMALLINT,
    end_date_year      SMALLINT,
    end_date_month     SMALLINT,
    end_date_day       SMALLINT,
    primary_for_locale BOOLEAN NOT NULL DEFAULT FALSE,
    ended              BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT event_alias_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT event_alias_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT event_alias_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT event_alias_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT event_alias_end_known_means_ended CHECK ((end_date_year IS NULL OR ended) AND (end_date_month IS NULL OR ended) AND (end_date_day IS NULL OR ended)),
    CONSTRAINT event_alias_primary_has_locale CHECK (NOT primary_for_locale OR locale IS NOT NULL),
    CONSTRAINT event_alias_search_hints_are_plain CHECK (type IS DISTINCT FROM 2 OR (sort_name = name AND locale IS NULL AND NOT primary_for_locale AND begin_date_year IS NULL AND end_date_year IS NULL))
);

CREATE TABLE event_annotation (
    event      INTEGER NOT NULL, -- PK, references event.id
    annotation INTEGER NOT NULL -- PK, references annotation.id
);

CREATE TABLE event_tag (
    event        INTEGER NOT NULL, -- PK, references event.id
    tag          INTEGER NOT NULL, -- PK, references tag.id
    count        INTEGER NOT NULL CHECK (count >= 0),
    last_updated TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE event_meta (
    id           INTEGER NOT NULL, -- PK, references event.id
    rating       SMALLINT CHECK (rating >= 0 AND rating <= 100),
    rating_count INTEGER CHECK (rating_count >= 0),
    CONSTRAINT event_meta_rated CHECK ((rating IS NULL) = (COALESCE(rating_count, 0) = 0))
);

CREATE TABLE moderation.event_rating (
    event  INTEGER NOT NULL, -- PK, references event.id
    editor INTEGER NOT NULL, -- PK, references moderation.editor.id
    rating SMALLINT NOT NULL CHECK (rating >= 0 AND rating <= 100)
);

CREATE TABLE genre (
    id            SERIAL, -- PK
    gid           UUID NOT NULL,
    name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    comment       VARCHAR(255) NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(comment)),
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated  TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE instrument (
    id            SERIAL, -- PK
    gid           UUID NOT NULL,
    name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    description   TEXT NOT NULL DEFAULT '',
    type          INTEGER, -- references instrument_type.id
    comment       VARCHAR(255) NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(comment)),
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated  TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE instrument_gid_redirect (
    gid     UUID NOT NULL, -- PK
    new_id  INTEGER NOT NULL, -- references instrument.id
    created TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE instrument_alias (
    id                 SERIAL, -- PK
    instrument         INTEGER NOT NULL, -- references instrument.id
    name               VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    locale             TEXT,
    edits_pending      INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated       TIMESTAMP WITH TIME ZONE DEFAULT now(),
    type               INTEGER, -- references instrument_alias_type.id
    sort_name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(sort_name) AND sort_name <> ''),
    begin_date_year    SMALLINT,
    begin_date_month   SMALLINT,
    begin_date_day     SMALLINT,
    end_date_year      SMALLINT,
    end_date_month     SMALLINT,
    end_date_day       SMALLINT,
    primary_for_locale BOOLEAN NOT NULL DEFAULT FALSE,
    ended              BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT instrument_alias_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT instrument_alias_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT instrument_alias_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT instrument_alias_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT instrument_alias_end_known_means_ended CHECK (num_nulls(end_date_year, end_date_month, end_date_day) = 3 OR ended),
    CONSTRAINT instrument_alias_primary_has_locale CHECK (NOT primary_for_locale OR locale IS NOT NULL),
    CONSTRAINT instrument_alias_search_hints_are_plain CHECK (type IS DISTINCT FROM 2 OR (sort_name = name AND locale IS NULL AND NOT primary_for_locale AND begin_date_year IS NULL AND end_date_year IS NULL))
);

CREATE TABLE instrument_annotation (
    instrument INTEGER NOT NULL, -- PK, references instrument.id
    annotation INTEGER NOT NULL -- PK, references annotation.id
);

CREATE TABLE instrument_tag (
    instrument   INTEGER NOT NULL, -- PK, references instrument.id
    tag          INTEGER NOT NULL, -- PK, references tag.id
    count        INTEGER NOT NULL CHECK (count >= 0),
    last_updated TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE label (
    id               SERIAL, -- PK
    gid              UUID NOT NULL,
    name             VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    label_code       INTEGER CHECK (label_code > 0 AND label_code < 100000),
    area             INTEGER, -- references area.id
    type             INTEGER, -- references label_type.id
    begin_date_year  SMALLINT,
    begin_date_month SMALLINT,
    begin_date_day   SMALLINT,
    end_date_year    SMALLINT,
    end_date_month   SMALLINT,
    end_date_day     SMALLINT,
    ended            BOOLEAN NOT NULL DEFAULT FALSE,
    comment          VARCHAR(255) NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(comment)),
    edits_pending    INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated     TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT label_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT label_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT label_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT label_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT label_end_known_means_ended CHECK ((end_date_year IS NULL OR ended) AND (end_date_month IS NULL OR ended) AND (end_date_day IS NULL OR ended)),
    CONSTRAINT label_date_order CHECK (dates_in_order(begin_date_year, begin_date_month, begin_date_day, end_date_year, end_date_month, end_date_day))
);

CREATE TABLE label_gid_redirect (
    gid     UUID NOT NULL, -- PK
    new_id  INTEGER NOT NULL, -- references label.id
    created TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE label_alias (
    id                 SERIAL, -- PK
    label              INTEGER NOT NULL, -- references label.id
    name               VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    locale             TEXT,
    edits_pending      INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated       TIMESTAMP WITH TIME ZONE DEFAULT now(),
    type               INTEGER, -- references label_alias_type.id
    sort_name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(sort_name) AND sort_name <> ''),
    begin_date_year    SMALLINT,
    begin_date_month   SMALLINT,
    begin_date_day     SMALLINT,
    end_date_year      SMALLINT,
    end_date_month     SMALLINT,
    end_date_day       SMALLINT,
    primary_for_locale BOOLEAN NOT NULL DEFAULT FALSE,
    ended              BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT label_alias_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT label_alias_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT label_alias_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT label_alias_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT label_alias_end_known_means_ended CHECK ((end_date_year IS NULL OR ended) AND (end_date_month IS NULL OR ended) AND (end_date_day IS NULL OR ended)),
    CONSTRAINT label_alias_date_order CHECK (dates_in_order(begin_date_year, begin_date_month, begin_date_day, end_date_year, end_date_month, end_date_day)),
    CONSTRAINT label_alias_primary_has_locale CHECK (NOT primary_for_locale OR locale IS NOT NULL),
    CONSTRAINT label_alias_search_hints_are_plain CHECK (type IS DISTINCT FROM 2 OR (sort_name = name AND locale IS NULL AND NOT primary_for_locale AND begin_date_year IS NULL AND end_date_year IS NULL))
);

CREATE TABLE label_annotation (
    label      INTEGER NOT NULL, -- PK, references label.id
    annotation INTEGER NOT NULL -- PK, references annotation.id
);

CREATE TABLE label_tag (
    label        INTEGER NOT NULL, -- PK, references label.id
    tag          INTEGER NOT NULL, -- PK, references tag.id
    count        INTEGER NOT NULL CHECK (count >= 0),
    last_updated TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE label_meta (
    id           INTEGER NOT NULL, -- PK, references label.id
    rating       SMALLINT CHECK (rating >= 0 AND rating <= 100),
    rating_count INTEGER CHECK (rating_count >= 0),
    CONSTRAINT label_meta_rated CHECK ((rating IS NULL) = (COALESCE(rating_count, 0) = 0))
);

CREATE TABLE moderation.label_rating (
    label  INTEGER NOT NULL, -- PK, references label.id
    editor INTEGER NOT NULL, -- PK, references moderation.editor.id
    rating SMALLINT NOT NULL CHECK (rating >= 0 AND rating <= 100)
);

CREATE TABLE place (
    id               SERIAL, -- PK
    gid              UUID NOT NULL,
    name             VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    address          VARCHAR NOT NULL DEFAULT '',
    area             INTEGER, -- references area.id
    coordinates      POINT,
    capacity         INTEGER CHECK (capacity > 0),
    type             INTEGER, -- references place_type.id
    begin_date_year  SMALLINT,
    begin_date_month SMALLINT,
    begin_date_day   SMALLINT,
    end_date_year    SMALLINT,
    end_date_month   SMALLINT,
    end_date_day     SMALLINT,
    ended            BOOLEAN NOT NULL DEFAULT FALSE,
    comment          VARCHAR(255) NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(comment)),
    edits_pending    INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated     TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT place_coordinates CHECK (coordinates[0] BETWEEN -90 AND 90 AND coordinates[1] BETWEEN -180 AND 180),
    CONSTRAINT place_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT place_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT place_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT place_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT place_end_known_means_ended CHECK ((end_date_year IS NULL OR ended) AND (end_date_month IS NULL OR ended) AND (end_date_day IS NULL OR ended)),
    CONSTRAINT place_date_order CHECK (dates_in_order(begin_date_year, begin_date_month, begin_date_day, end_date_year, end_date_month, end_date_day))
);

CREATE TABLE place_gid_redirect (
    gid     UUID NOT NULL, -- PK
    new_id  INTEGER NOT NULL, -- references place.id
    created TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE place_alias (
    id                 SERIAL, -- PK
    place              INTEGER NOT NULL, -- references place.id
    name               VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    locale             TEXT,
    edits_pending      INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated       TIMESTAMP WITH TIME ZONE DEFAULT now(),
    type               INTEGER, -- references place_alias_type.id
    sort_name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(sort_name) AND sort_name <> ''),
    begin_date_year    SMALLINT,
    begin_date_month   SMALLINT,
    begin_date_day     SMALLINT,
    end_date_year      SMALLINT,
    end_date_month     SMALLINT,
    end_date_day       SMALLINT,
    primary_for_locale BOOLEAN NOT NULL DEFAULT FALSE,
    ended              BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT place_alias_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT place_alias_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT place_alias_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT place_alias_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT place_alias_end_known_means_ended CHECK ((end_date_year IS NULL OR ended) AND (end_date_month IS NULL OR ended) AND (end_date_day IS NULL OR ended)),
    CONSTRAINT place_alias_primary_has_locale CHECK (NOT primary_for_locale OR locale IS NOT NULL),
    CONSTRAINT place_alias_search_hints_are_plain CHECK (type IS DISTINCT FROM 2 OR (sort_name = name AND locale IS NULL AND NOT primary_for_locale AND begin_date_year IS NULL AND end_date_year IS NULL))
);

CREATE TABLE place_annotation (
    place      INTEGER NOT NULL, -- PK, references place.id
    annotation INTEGER NOT NULL -- PK, references annotation.id
);

CREATE TABLE place_tag (
    place        INTEGER NOT NULL, -- PK, references place.id
    tag          INTEGER NOT NULL, -- PK, references tag.id
    count        INTEGER NOT NULL CHECK (count >= 0),
    last_updated TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE release_group (
    id            SERIAL, -- PK
    gid           UUID NOT NULL,
    name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    artist_credit INTEGER NOT NULL, -- references artist_credit.id
    type          INTEGER, -- references release_group_primary_type.id
    comment       VARCHAR(255) NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(comment)),
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated  TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE release_group_gid_redirect (
    gid     UUID NOT NULL, -- PK
    new_id  INTEGER NOT NULL, -- references release_group.id
    created TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE release_group_alias (
    id                 SERIAL, -- PK
    release_group      INTEGER NOT NULL, -- references release_group.id
    name               VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    locale             TEXT,
    edits_pending      INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated       TIMESTAMP WITH TIME ZONE DEFAULT now(),
    type               INTEGER, -- references release_group_alias_type.id
    sort_name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(sort_name) AND sort_name <> ''),
    begin_date_year    SMALLINT,
    begin_date_month   SMALLINT,
    begin_date_day     SMALLINT,
    end_date_year      SMALLINT,
    end_date_month     SMALLINT,
    end_date_day       SMALLINT,
    primary_for_locale BOOLEAN NOT NULL DEFAULT FALSE,
    ended              BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT release_group_alias_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT release_group_alias_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT release_group_alias_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT release_group_alias_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT release_group_alias_end_known_means_ended CHECK (num_nulls(end_date_year, end_date_month, end_date_day) = 3 OR ended),
    CONSTRAINT release_group_alias_primary_has_locale CHECK (NOT primary_for_locale OR locale IS NOT NULL),
    CONSTRAINT release_group_alias_search_hints_are_plain CHECK (type IS DISTINCT FROM 2 OR (sort_name = name AND locale IS NULL AND NOT primary_for_locale AND begin_date_year IS NULL AND end_date_year IS NULL))
);

CREATE TABLE release_group_annotation (
    release_group INTEGER NOT NULL, -- PK, references release_group.id
    annotation    INTEGER NOT NULL -- PK, references annotation.id
);

CREATE TABLE release_group_tag (
    release_group INTEGER NOT NULL, -- PK, references release_group.id
    tag           INTEGER NOT NULL, -- PK, references tag.id
    count         INTEGER NOT NULL CHECK (count >= 0),
    last_updated  TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE release_group_meta (
    id           INTEGER NOT NULL, -- PK, references release_group.id
    rating       SMALLINT CHECK (rating >= 0 AND rating <= 100),
    rating_count INTEGER CHECK (rating_count >= 0),
    CONSTRAINT release_group_meta_rated CHECK ((rating IS NULL) = (COALESCE(rating_count, 0) = 0))
);

CREATE TABLE moderation.release_group_rating (
    release_group INTEGER NOT NULL, -- PK, references release_group.id
    editor        INTEGER NOT NULL, -- PK, references moderation.editor.id
    rating        SMALLINT NOT NULL CHECK (rating >= 0 AND rating <= 100)
);

CREATE TABLE release (
    id            SERIAL, -- PK
    gid           UUID NOT NULL,
    name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    artist_credit INTEGER NOT NULL, -- references artist_credit.id
    release_group INTEGER NOT NULL, -- references release_group.id
    status        INTEGER, -- references release_status.id
    packaging     INTEGER, -- references release_packaging.id
    language      INTEGER, -- references language.id
    script        INTEGER, -- references script.id
    barcode       VARCHAR(20) CHECK (barcode ~ '^[0-9]*$'),
    quality       SMALLINT NOT NULL DEFAULT -1 CHECK (quality IN (-1, 0, 1, 2)),
    comment       VARCHAR(255) NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(comment)),
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated  TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE release_gid_redirect (
    gid     UUID NOT NULL, -- PK
    new_id  INTEGER NOT NULL, -- references release.id
    created TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE release_alias (
    id                 SERIAL, -- PK
    release            INTEGER NOT NULL, -- references release.id
    name               VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    locale             TEXT,
    edits_pending      INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated       TIMESTAMP WITH TIME ZONE DEFAULT now(),
    type               INTEGER, -- references release_alias_type.id
    sort_name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(sort_name) AND sort_name <> ''),
    begin_date_year    SMALLINT,
    begin_date_month   SMALLINT,
    begin_date_day     SMALLINT,
    end_date_year      SMALLINT,
    end_date_month     SMALLINT,
    end_date_day       SMALLINT,
    primary_for_locale BOOLEAN NOT NULL DEFAULT FALSE,
    ended              BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT release_alias_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT release_alias_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT release_alias_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT release_alias_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT release_alias_end_known_means_ended CHECK (num_nulls(end_date_year, end_date_month, end_date_day) = 3 OR ended),
    CONSTRAINT release_alias_primary_has_locale CHECK (NOT primary_for_locale OR locale IS NOT NULL),
    CONSTRAINT release_alias_search_hints_are_plain CHECK (type IS DISTINCT FROM 2 OR (sort_name = name AND locale IS NULL AND NOT primary_for_locale AND begin_date_year IS NULL AND end_date_year IS NULL))
);

CREATE TABLE release_annotation (
    release    INTEGER NOT NULL, -- PK, references release.id
    annotation INTEGER NOT NULL -- PK, references annotation.id
);

CREATE TABLE release_tag (
    release      INTEGER NOT NULL, -- PK, references release.id
    tag          INTEGER NOT NULL, -- PK, references tag.id
    count        INTEGER NOT NULL CHECK (count >= 0),
    last_updated TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE recording (
    id            SERIAL, -- PK
    gid           UUID NOT NULL,
    name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    artist_credit INTEGER NOT NULL, -- references artist_credit.id
    length        INTEGER CHECK (length IS NULL OR length > 0),
    video         BOOLEAN NOT NULL DEFAULT FALSE,
    comment       VARCHAR(255) NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(comment)),
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated  TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE recording_gid_redirect (
    gid     UUID NOT NULL, -- PK
    new_id  INTEGER NOT NULL, -- references recording.id
    created TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE recording_alias (
    id                 SERIAL, -- PK
    recording          INTEGER NOT NULL, -- references recording.id
    name               VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    locale             TEXT,
    edits_pending      INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated       TIMESTAMP WITH TIME ZONE DEFAULT now(),
    type               INTEGER, -- references recording_alias_type.id
    sort_name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(sort_name) AND sort_name <> ''),
    begin_date_year    SMALLINT,
    begin_date_month   SMALLINT,
    begin_date_day     SMALLINT,
    end_date_year      SMALLINT,
    end_date_month     SMALLINT,
    end_date_day       SMALLINT,
    primary_for_locale BOOLEAN NOT NULL DEFAULT FALSE,
    ended              BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT recording_alias_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT recording_alias_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT recording_alias_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT recording_alias_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT recording_alias_end_known_means_ended CHECK (ended OR num_nonnulls(end_date_year, end_date_month, end_date_day) = 0),
    CONSTRAINT recording_alias_primary_has_locale CHECK (NOT primary_for_locale OR locale IS NOT NULL),
    CONSTRAINT recording_alias_search_hints_are_plain CHECK (type IS DISTINCT FROM 2 OR (sort_name = name AND locale IS NULL AND NOT primary_for_locale AND begin_date_year IS NULL AND end_date_year IS NULL))
);

CREATE TABLE recording_annotation (
    recording  INTEGER NOT NULL, -- PK, references recording.id
    annotation INTEGER NOT NULL -- PK, references annotation.id
);

CREATE TABLE recording_tag (
    recording    INTEGER NOT NULL, -- PK, references recording.id
    tag          INTEGER NOT NULL, -- PK, references tag.id
    count        INTEGER NOT NULL CHECK (count >= 0),
    last_updated TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE recording_meta (
    id           INTEGER NOT NULL, -- PK, references recording.id
    rating       SMALLINT CHECK (rating >= 0 AND rating <= 100),
    rating_count INTEGER CHECK (rating_count >= 0),
    CONSTRAINT recording_meta_rated CHECK ((rating IS NULL) = (COALESCE(rating_count, 0) = 0))
);

CREATE TABLE moderation.recording_rating (
    recording INTEGER NOT NULL, -- PK, references recording.id
    editor    INTEGER NOT NULL, -- PK, references moderation.editor.id
    rating    SMALLINT NOT NULL CHECK (rating >= 0 AND rating <= 100)
);

CREATE TABLE series (
    id            SERIAL, -- PK
    gid           UUID NOT NULL,
    name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    ordering_type SMALLINT NOT NULL DEFAULT 1 CHECK (ordering_type IN (1, 2)),
    type          INTEGER, -- references series_type.id
    comment       VARCHAR(255) NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(comment)),
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated  TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE series_gid_redirect (
    gid     UUID NOT NULL, -- PK
    new_id  INTEGER NOT NULL, -- references series.id
    created TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE series_alias (
    id                 SERIAL, -- PK
    series             INTEGER NOT NULL, -- references series.id
    name               VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    locale             TEXT,
    edits_pending      INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated       TIMESTAMP WITH TIME ZONE DEFAULT now(),
    type               INTEGER, -- references series_alias_type.id
    sort_name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(sort_name) AND sort_name <> ''),
    begin_date_year    SMALLINT,
    begin_date_month   SMALLINT,
    begin_date_day     SMALLINT,
    end_date_year      SMALLINT,
    end_date_month     SMALLINT,
    end_date_day       SMALLINT,
    primary_for_locale BOOLEAN NOT NULL DEFAULT FALSE,
    ended              BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT series_alias_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT series_alias_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT series_alias_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT series_alias_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT series_alias_end_known_means_ended CHECK (ended OR num_nonnulls(end_date_year, end_date_month, end_date_day) = 0),
    CONSTRAINT series_alias_primary_has_locale CHECK (NOT primary_for_locale OR locale IS NOT NULL),
    CONSTRAINT series_alias_search_hints_are_plain CHECK (type IS DISTINCT FROM 2 OR (sort_name = name AND locale IS NULL AND NOT primary_for_locale AND begin_date_year IS NULL AND end_date_year IS NULL))
);

CREATE TABLE series_annotation (
    series     INTEGER NOT NULL, -- PK, references series.id
    annotation INTEGER NOT NULL -- PK, references annotation.id
);

CREATE TABLE series_tag (
    series       INTEGER NOT NULL, -- PK, references series.id
    tag          INTEGER NOT NULL, -- PK, references tag.id
    count        INTEGER NOT NULL CHECK (count >= 0),
    last_updated TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE work (
    id            SERIAL, -- PK
    gid           UUID NOT NULL,
    name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    type          INTEGER, -- references work_type.id
    comment       VARCHAR(255) NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(comment)),
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated  TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE work_gid_redirect (
    gid     UUID NOT NULL, -- PK
    new_id  INTEGER NOT NULL, -- references work.id
    created TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE work_alias (
    id                 SERIAL, -- PK
    work               INTEGER NOT NULL, -- references work.id
    name               VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    locale             TEXT,
    edits_pending      INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated       TIMESTAMP WITH TIME ZONE DEFAULT now(),
    type               INTEGER, -- references work_alias_type.id
    sort_name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(sort_name) AND sort_name <> ''),
    begin_date_year    SMALLINT,
    begin_date_month   SMALLINT,
    begin_date_day     SMALLINT,
    end_date_year      SMALLINT,
    end_date_month     SMALLINT,
    end_date_day       SMALLINT,
    primary_for_locale BOOLEAN NOT NULL DEFAULT FALSE,
    ended              BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT work_alias_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT work_alias_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT work_alias_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT work_alias_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT work_alias_end_known_means_ended CHECK (num_nulls(end_date_year, end_date_month, end_date_day) = 3 OR ended),
    CONSTRAINT work_alias_primary_has_locale CHECK (NOT primary_for_locale OR locale IS NOT NULL),
    CONSTRAINT work_alias_search_hints_are_plain CHECK (type IS DISTINCT FROM 2 OR (sort_name = name AND locale IS NULL AND NOT primary_for_locale AND begin_date_year IS NULL AND end_date_year IS NULL))
);

CREATE TABLE work_annotation (
    work       INTEGER NOT NULL, -- PK, references work.id
    annotation INTEGER NOT NULL -- PK, references annotation.id
);

CREATE TABLE work_tag (
    work         INTEGER NOT NULL, -- PK, references work.id
    tag          INTEGER NOT NULL, -- PK, references tag.id
    count        INTEGER NOT NULL CHECK (count >= 0),
    last_updated TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE work_meta (
    id           INTEGER NOT NULL, -- PK, references work.id
    rating       SMALLINT CHECK (rating >= 0 AND rating <= 100),
    rating_count INTEGER CHECK (rating_count >= 0),
    CONSTRAINT work_meta_rated CHECK ((rating IS NULL) = (COALESCE(rating_count, 0) = 0))
);

CREATE TABLE moderation.work_rating (
    work   INTEGER NOT NULL, -- PK, references work.id
    editor INTEGER NOT NULL, -- PK, references moderation.editor.id
    rating SMALLINT NOT NULL CHECK (rating >= 0 AND rating <= 100)
);

CREATE TABLE url (
    id            SERIAL, -- PK
    gid           UUID NOT NULL,
    url           TEXT NOT NULL CHECK (url ~ '^[a-z]+://[^[:space:]]+$'),
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated  TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE url_gid_redirect (
    gid     UUID NOT NULL, -- PK
    new_id  INTEGER NOT NULL, -- references url.id
    created TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE country_area ( -- areas a release can be released in
    area INTEGER NOT NULL -- PK, references area.id
);

CREATE TABLE iso_3166_1 (
    area INTEGER NOT NULL, -- references area.id
    code CHAR(2) NOT NULL CHECK (code ~ '^[A-Z]{2}$') -- PK
);

CREATE TABLE iso_3166_2 (
    area INTEGER NOT NULL, -- references area.id
    code VARCHAR(10) NOT NULL CHECK (code ~ '^[A-Z]{2}-[A-Z0-9]{1,5}$') -- PK
);

CREATE TABLE area_containment (
    descendant INTEGER NOT NULL, -- PK, references area.id
    parent     INTEGER NOT NULL, -- PK, references area.id
    depth      SMALLINT NOT NULL CHECK (depth > 0),
    CONSTRAINT area_containment_irreflexive CHECK (descendant <> parent)
);

CREATE TABLE artist_credit_name (
    artist_credit INTEGER NOT NULL, -- PK, references artist_credit.id
    position      SMALLINT NOT NULL CHECK (position >= 0), -- PK
    artist        INTEGER NOT NULL, -- references artist.id
    name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(name)),
    join_phrase   TEXT NOT NULL DEFAULT ''
);

CREATE TABLE artist_ipi (
    artist        INTEGER NOT NULL, -- PK, references artist.id
    ipi           CHAR(11) NOT NULL CHECK (ipi ~ '^[0-9]{11}$'), -- PK
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    created       TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE artist_isni (
    artist        INTEGER NOT NULL, -- PK, references artist.id
    isni          CHAR(16) NOT NULL CHECK (isni ~ '^[0-9]{15}[0-9X]$'), -- PK
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    created       TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE label_ipi (
    label         INTEGER NOT NULL, -- PK, references label.id
    ipi           CHAR(11) NOT NULL CHECK (ipi ~ '^[0-9]{11}$'), -- PK
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    created       TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE label_isni (
    label         INTEGER NOT NULL, -- PK, references label.id
    isni          CHAR(16) NOT NULL CHECK (isni ~ '^[0-9]{15}[0-9X]$'), -- PK
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    created       TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE isrc (
    id            SERIAL, -- PK
    recording     INTEGER NOT NULL, -- references recording.id
    isrc          CHAR(12) NOT NULL CHECK (isrc ~ '^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$'),
    source        SMALLINT,
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    created       TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE iswc (
    id            SERIAL, -- PK
    work          INTEGER NOT NULL, -- references work.id
    iswc          CHARACTER(15) CHECK (iswc ~ '^T-[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]$'),
    source        SMALLINT,
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    created       TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now()
);

CREATE TABLE medium (
    id            SERIAL, -- PK
    release       INTEGER NOT NULL, -- references release.id
    position      INTEGER NOT NULL CHECK (position > 0),
    format        INTEGER, -- references medium_format.id
    name          VARCHAR NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(name)),
    track_count   INTEGER NOT NULL DEFAULT 0 CHECK (track_count >= 0),
    gid           UUID NOT NULL,
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated  TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE track (
    id            SERIAL, -- PK
    gid           UUID NOT NULL,
    recording     INTEGER NOT NULL, -- references recording.id
    medium        INTEGER NOT NULL, -- references medium.id
    position      INTEGER NOT NULL,
    number        TEXT NOT NULL CHECK (controlled_for_whitespace(number)),
    name          VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    artist_credit INTEGER NOT NULL, -- references artist_credit.id
    length        INTEGER CHECK (length IS NULL OR length > 0),
    is_data_track BOOLEAN NOT NULL DEFAULT FALSE,
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated  TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT track_pregap CHECK (position > 0 OR (position = 0 AND NOT is_data_track))
);

CREATE TABLE cdtoc (
    id             SERIAL, -- PK
    discid         CHAR(28) NOT NULL CHECK (discid ~ '^[A-Za-z0-9._-]{27}-$'),
    freedb_id      CHAR(8) NOT NULL CHECK (freedb_id ~ '^[0-9a-f]{8}$'),
    track_count    INTEGER NOT NULL CHECK (track_count BETWEEN 1 AND 99),
    leadout_offset INTEGER NOT NULL,
    track_offset   INTEGER[] NOT NULL,
    degraded       BOOLEAN NOT NULL DEFAULT FALSE,
    created        TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT cdtoc_offsets CHECK (array_length(track_offset, 1) = track_count),
    CONSTRAINT cdtoc_leadout CHECK (leadout_offset > track_offset[track_count])
);

CREATE TABLE medium_cdtoc (
    id            SERIAL, -- PK
    medium        INTEGER NOT NULL, -- references medium.id
    cdtoc         INTEGER NOT NULL, -- references cdtoc.id
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated  TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE release_country (
    release    INTEGER NOT NULL, -- PK, references release.id
    country    INTEGER NOT NULL, -- PK, references country_area.area
    date_year  SMALLINT,
    date_month SMALLINT CHECK (date_month BETWEEN 1 AND 12),
    date_day   SMALLINT CHECK (date_day BETWEEN 1 AND 31),
    CONSTRAINT release_country_date CHECK (date_year IS NOT NULL OR (date_month IS NULL AND date_day IS NULL))
);

CREATE TABLE release_unknown_country (
    release    INTEGER NOT NULL, -- PK, references release.id
    date_year  SMALLINT,
    date_month SMALLINT,
    date_day   SMALLINT,
    CONSTRAINT release_unknown_country_has_date CHECK (num_nonnulls(date_year, date_month, date_day) > 0),
    CONSTRAINT release_unknown_country_valid CHECK (make_date_or_null(date_year, date_month, date_day) IS NOT NULL OR num_nulls(date_year, date_month, date_day) > 0)
);

CREATE TABLE release_label (
    id             SERIAL, -- PK
    release        INTEGER NOT NULL, -- references release.id
    label          INTEGER, -- references label.id
    catalog_number VARCHAR(255) CHECK (controlled_for_whitespace(catalog_number)),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT release_label_says_something CHECK (label IS NOT NULL OR catalog_number IS NOT NULL)
);

CREATE TABLE release_meta (
    id                 INTEGER NOT NULL, -- PK, references release.id
    date_added         TIMESTAMP WITH TIME ZONE DEFAULT now(),
    info_url           VARCHAR(255),
    amazon_asin        VARCHAR(10) CHECK (amazon_asin ~ '^[A-Z0-9]{10}$'),
    cover_art_presence cover_art_presence NOT NULL DEFAULT 'absent'
);

CREATE TABLE release_group_secondary_type_join (
    release_group  INTEGER NOT NULL, -- PK, references release_group.id
    secondary_type INTEGER NOT NULL, -- PK, references release_group_secondary_type.id
    created        TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now()
);

CREATE TABLE work_language (
    work          INTEGER NOT NULL, -- PK, references work.id
    language      INTEGER NOT NULL, -- PK, references language.id
    edits_pending INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    created       TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE work_attribute_type_allowed_value (
    id                  SERIAL, -- PK
    work_attribute_type INTEGER NOT NULL, -- references work_attribute_type.id
    value               TEXT,
    parent              INTEGER, -- references work_attribute_type_allowed_value.id
    child_order         INTEGER NOT NULL DEFAULT 0,
    gid                 UUID NOT NULL
);

CREATE TABLE work_attribute (
    id                  SERIAL, -- PK
    work                INTEGER NOT NULL, -- references work.id
    work_attribute_type INTEGER NOT NULL, -- references work_attribute_type.id
    allowed_value       INTEGER, -- references work_attribute_type_allowed_value.id
    text                TEXT,
    CONSTRAINT work_attribute_value_or_text CHECK ((allowed_value IS NULL) <> (text IS NULL))
);

CREATE TABLE recording_similarity (
    recording0 INTEGER NOT NULL, -- PK, references recording.id
    recording1 INTEGER NOT NULL, -- PK, references recording.id
    score      REAL NOT NULL CHECK (score > 0 AND score <= 1),
    CONSTRAINT recording_similarity_ordered CHECK (recording0 < recording1)
);

CREATE TABLE tag_relation (
    tag1         INTEGER NOT NULL, -- PK, references tag.id
    tag2         INTEGER NOT NULL, -- PK, references tag.id
    weight       INTEGER NOT NULL CHECK (weight > 0),
    last_updated TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CHECK (tag1 < tag2)
);

CREATE TABLE link_type (
    id              SERIAL, -- PK
    parent          INTEGER, -- references link_type.id
    child_order     INTEGER NOT NULL DEFAULT 0,
    gid             UUID NOT NULL,
    entity_type0    VARCHAR(50) NOT NULL CHECK (entity_type0 IN ('area', 'artist', 'event', 'genre', 'instrument', 'label', 'place', 'recording', 'release', 'release_group', 'series', 'url', 'work')),
    entity_type1    VARCHAR(50) NOT NULL CHECK (entity_type1 IN ('area', 'artist', 'event', 'genre', 'instrument', 'label', 'place', 'recording', 'release', 'release_group', 'series', 'url', 'work')),
    name            VARCHAR(255) NOT NULL,
    description     TEXT,
    phrase_forward  VARCHAR(255) NOT NULL,
    phrase_backward VARCHAR(255) NOT NULL,
    phrase_long     VARCHAR(255) NOT NULL,
    last_updated    TIMESTAMP WITH TIME ZONE DEFAULT now(),
    is_deprecated   BOOLEAN NOT NULL DEFAULT FALSE,
    has_dates       BOOLEAN NOT NULL DEFAULT TRUE,
    entity0_single  SMALLINT NOT NULL DEFAULT 0 CHECK (entity0_single IN (0, 1)),
    entity1_single  SMALLINT NOT NULL DEFAULT 0 CHECK (entity1_single IN (0, 1)),
    CONSTRAINT link_type_entities_sorted CHECK (entity_type0 <= entity_type1)
);

CREATE TABLE link (
    id               SERIAL, -- PK
    link_type        INTEGER NOT NULL, -- references link_type.id
    begin_date_year  SMALLINT,
    begin_date_month SMALLINT,
    begin_date_day   SMALLINT,
    end_date_year    SMALLINT,
    end_date_month   SMALLINT,
    end_date_day     SMALLINT,
    attribute_count  INTEGER NOT NULL DEFAULT 0 CHECK (attribute_count >= 0),
    created          TIMESTAMP WITH TIME ZONE DEFAULT now(),
    ended            BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT link_begin_month CHECK (begin_date_month BETWEEN 1 AND 12),
    CONSTRAINT link_begin_day CHECK (begin_date_day IS NULL OR (begin_date_month IS NOT NULL AND begin_date_day BETWEEN 1 AND 31)),
    CONSTRAINT link_end_month CHECK (end_date_month BETWEEN 1 AND 12),
    CONSTRAINT link_end_day CHECK (end_date_day IS NULL OR (end_date_month IS NOT NULL AND end_date_day BETWEEN 1 AND 31)),
    CONSTRAINT link_end_known_means_ended CHECK (num_nulls(end_date_year, end_date_month, end_date_day) = 3 OR ended),
    CONSTRAINT link_date_order CHECK (dates_in_order(begin_date_year, begin_date_month, begin_date_day, end_date_year, end_date_month, end_date_day))
);

CREATE TABLE link_attribute_type (
    id           SERIAL, -- PK
    parent       INTEGER, -- references link_attribute_type.id
    root         INTEGER NOT NULL, -- references link_attribute_type.id
    child_order  INTEGER NOT NULL DEFAULT 0,
    gid          UUID NOT NULL,
    name         VARCHAR(255) NOT NULL,
    description  TEXT,
    last_updated TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CONSTRAINT link_attribute_type_root CHECK ((parent IS NULL) = (root = id))
);

CREATE TABLE link_creditable_attribute_type (
    attribute_type INTEGER NOT NULL -- PK, references link_attribute_type.id
);

CREATE TABLE link_text_attribute_type (
    attribute_type INTEGER NOT NULL -- PK, references link_attribute_type.id
);

CREATE TABLE link_type_attribute_type (
    link_type      INTEGER NOT NULL, -- PK, references link_type.id
    attribute_type INTEGER NOT NULL, -- PK, references link_attribute_type.id
    min            SMALLINT CHECK (min >= 0),
    max            SMALLINT,
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    CHECK (max >= min)
);

CREATE TABLE link_attribute (
    link           INTEGER NOT NULL, -- PK, references link.id
    attribute_type INTEGER NOT NULL, -- PK, references link_attribute_type.id
    created        TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE link_attribute_credit (
    link           INTEGER NOT NULL, -- PK, references link.id
    attribute_type INTEGER NOT NULL, -- PK, references link_creditable_attribute_type.attribute_type
    credited_as    TEXT NOT NULL CHECK (controlled_for_whitespace(credited_as))
);

CREATE TABLE link_attribute_text_value (
    link           INTEGER NOT NULL, -- PK, references link.id
    attribute_type INTEGER NOT NULL, -- PK, references link_text_attribute_type.attribute_type
    text_value     TEXT NOT NULL CHECK (controlled_for_whitespace(text_value))
);

CREATE TABLE l_area_area (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references area.id
    entity1        INTEGER NOT NULL, -- references area.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit)),
    CONSTRAINT l_area_area_irreflexive CHECK (entity0 <> entity1)
);

CREATE TABLE l_area_event (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references area.id
    entity1        INTEGER NOT NULL, -- references event.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_area_label (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references area.id
    entity1        INTEGER NOT NULL, -- references label.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_area_recording (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references area.id
    entity1        INTEGER NOT NULL, -- references recording.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_area_release (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references area.id
    entity1        INTEGER NOT NULL, -- references release.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_area_series (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references area.id
    entity1        INTEGER NOT NULL, -- references series.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_area_url (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references area.id
    entity1        INTEGER NOT NULL, -- references url.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_area_work (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references area.id
    entity1        INTEGER NOT NULL, -- references work.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_artist_artist (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references artist.id
    entity1        INTEGER NOT NULL, -- references artist.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit)),
    CONSTRAINT l_artist_artist_irreflexive CHECK (entity0 <> entity1)
);

CREATE TABLE l_artist_event (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references artist.id
    entity1        INTEGER NOT NULL, -- references event.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_artist_instrument (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references artist.id
    entity1        INTEGER NOT NULL, -- references instrument.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_artist_label (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references artist.id
    entity1        INTEGER NOT NULL, -- references label.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_artist_place (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references artist.id
    entity1        INTEGER NOT NULL, -- references place.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_artist_recording (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references artist.id
    entity1        INTEGER NOT NULL, -- references recording.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_artist_release (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references artist.id
    entity1        INTEGER NOT NULL, -- references release.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_artist_release_group (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references artist.id
    entity1        INTEGER NOT NULL, -- references release_group.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_artist_series (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references artist.id
    entity1        INTEGER NOT NULL, -- references series.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_artist_url (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references artist.id
    entity1        INTEGER NOT NULL, -- references url.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_artist_work (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references artist.id
    entity1        INTEGER NOT NULL, -- references work.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_event_event (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references event.id
    entity1        INTEGER NOT NULL, -- references event.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit)),
    CONSTRAINT l_event_event_irreflexive CHECK (entity0 <> entity1)
);

CREATE TABLE l_event_place (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references event.id
    entity1        INTEGER NOT NULL, -- references place.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_event_recording (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references event.id
    entity1        INTEGER NOT NULL, -- references recording.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_event_release (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references event.id
    entity1        INTEGER NOT NULL, -- references release.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_event_series (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references event.id
    entity1        INTEGER NOT NULL, -- references series.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_event_url (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references event.id
    entity1        INTEGER NOT NULL, -- references url.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_genre_genre (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references genre.id
    entity1        INTEGER NOT NULL, -- references genre.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit)),
    CONSTRAINT l_genre_genre_ordered CHECK (entity0 < entity1)
);

CREATE TABLE l_genre_instrument (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references genre.id
    entity1        INTEGER NOT NULL, -- references instrument.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_instrument_instrument (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references instrument.id
    entity1        INTEGER NOT NULL, -- references instrument.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit)),
    CONSTRAINT l_instrument_instrument_ordered CHECK (entity0 < entity1)
);

CREATE TABLE l_instrument_label (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references instrument.id
    entity1        INTEGER NOT NULL, -- references label.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_instrument_url (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references instrument.id
    entity1        INTEGER NOT NULL, -- references url.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_label_label (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references label.id
    entity1        INTEGER NOT NULL, -- references label.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit)),
    CONSTRAINT l_label_label_ordered CHECK (entity0 < entity1)
);

CREATE TABLE l_label_place (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references label.id
    entity1        INTEGER NOT NULL, -- references place.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_label_recording (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references label.id
    entity1        INTEGER NOT NULL, -- references recording.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_label_release (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references label.id
    entity1        INTEGER NOT NULL, -- references release.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_label_series (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references label.id
    entity1        INTEGER NOT NULL, -- references series.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_label_url (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references label.id
    entity1        INTEGER NOT NULL, -- references url.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_label_work (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references label.id
    entity1        INTEGER NOT NULL, -- references work.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_place_place (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references place.id
    entity1        INTEGER NOT NULL, -- references place.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit)),
    CONSTRAINT l_place_place_irreflexive CHECK (entity0 <> entity1)
);

CREATE TABLE l_place_recording (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references place.id
    entity1        INTEGER NOT NULL, -- references recording.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_place_release (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references place.id
    entity1        INTEGER NOT NULL, -- references release.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_place_url (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references place.id
    entity1        INTEGER NOT NULL, -- references url.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_place_work (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references place.id
    entity1        INTEGER NOT NULL, -- references work.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_recording_recording (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references recording.id
    entity1        INTEGER NOT NULL, -- references recording.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit)),
    CONSTRAINT l_recording_recording_irreflexive CHECK (entity0 <> entity1)
);

CREATE TABLE l_recording_release (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references recording.id
    entity1        INTEGER NOT NULL, -- references release.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_recording_series (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references recording.id
    entity1        INTEGER NOT NULL, -- references series.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_recording_url (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references recording.id
    entity1        INTEGER NOT NULL, -- references url.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_recording_work (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references recording.id
    entity1        INTEGER NOT NULL, -- references work.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_release_release (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references release.id
    entity1        INTEGER NOT NULL, -- references release.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit)),
    CONSTRAINT l_release_release_irreflexive CHECK (entity0 <> entity1)
);

CREATE TABLE l_release_series (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references release.id
    entity1        INTEGER NOT NULL, -- references series.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_release_url (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references release.id
    entity1        INTEGER NOT NULL, -- references url.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_release_group_release_group (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references release_group.id
    entity1        INTEGER NOT NULL, -- references release_group.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit)),
    CONSTRAINT l_release_group_release_group_irreflexive CHECK (entity0 <> entity1)
);

CREATE TABLE l_release_group_series (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references release_group.id
    entity1        INTEGER NOT NULL, -- references series.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_release_group_url (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references release_group.id
    entity1        INTEGER NOT NULL, -- references url.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_series_series (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references series.id
    entity1        INTEGER NOT NULL, -- references series.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit)),
    CONSTRAINT l_series_series_irreflexive CHECK (entity0 <> entity1)
);

CREATE TABLE l_series_url (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references series.id
    entity1        INTEGER NOT NULL, -- references url.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_series_work (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references series.id
    entity1        INTEGER NOT NULL, -- references work.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_url_work (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references url.id
    entity1        INTEGER NOT NULL, -- references work.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit))
);

CREATE TABLE l_work_work (
    id             SERIAL, -- PK
    link           INTEGER NOT NULL, -- references link.id
    entity0        INTEGER NOT NULL, -- references work.id
    entity1        INTEGER NOT NULL, -- references work.id
    edits_pending  INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    last_updated   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    link_order     INTEGER NOT NULL DEFAULT 0 CHECK (link_order >= 0),
    entity0_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity0_credit)),
    entity1_credit TEXT NOT NULL DEFAULT '' CHECK (controlled_for_whitespace(entity1_credit)),
    CONSTRAINT l_work_work_irreflexive CHECK (entity0 <> entity1)
);

CREATE TABLE moderation.edit (
    id          SERIAL, -- PK
    editor      INTEGER NOT NULL, -- references moderation.editor.id
    type        SMALLINT NOT NULL CHECK (type > 0),
    status      SMALLINT NOT NULL CHECK (status BETWEEN 1 AND 9),
    autoedit    SMALLINT NOT NULL DEFAULT 0 CHECK (autoedit IN (0, 1)),
    open_time   TIMESTAMP WITH TIME ZONE DEFAULT now(),
    close_time  TIMESTAMP WITH TIME ZONE,
    expire_time TIMESTAMP WITH TIME ZONE NOT NULL,
    language    INTEGER, -- references language.id
    quality     SMALLINT NOT NULL DEFAULT 1,
    CONSTRAINT edit_open_or_closed CHECK ((status IN (1, 9)) = (close_time IS NULL)),
    CONSTRAINT edit_autoedits_are_applied CHECK (autoedit = 0 OR status IN (2, 5, 6)),
    CONSTRAINT edit_close_after_open CHECK (close_time >= open_time)
);

CREATE TABLE moderation.edit_data (
    edit INTEGER NOT NULL, -- PK, references moderation.edit.id
    data JSONB NOT NULL CHECK (jsonb_typeof(data) = 'object')
);

CREATE TABLE moderation.vote (
    id         SERIAL, -- PK
    editor     INTEGER NOT NULL, -- references moderation.editor.id
    edit       INTEGER NOT NULL, -- references moderation.edit.id
    vote       SMALLINT NOT NULL CHECK (vote IN (-1, 0, 1, 2)),
    vote_time  TIMESTAMP WITH TIME ZONE DEFAULT now(),
    superseded BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE TABLE moderation.edit_note (
    id        SERIAL, -- PK
    editor    INTEGER NOT NULL, -- references moderation.editor.id
    edit      INTEGER NOT NULL, -- references moderation.edit.id
    text      TEXT NOT NULL CHECK (text <> ''),
    post_time TIMESTAMP WITH TIME ZONE DEFAULT now()
);

CREATE TABLE moderation.edit_area (
    edit INTEGER NOT NULL, -- PK, references moderation.edit.id
    area INTEGER NOT NULL -- PK, references area.id
);

CREATE TABLE moderation.edit_artist (
    edit   INTEGER NOT NULL, -- PK, references moderation.edit.id
    artist INTEGER NOT NULL, -- PK, references artist.id
    status SMALLINT NOT NULL CHECK (status BETWEEN 1 AND 9)
);

CREATE TABLE moderation.edit_event (
    edit  INTEGER NOT NULL, -- PK, references moderation.edit.id
    event INTEGER NOT NULL -- PK, references event.id
);

CREATE TABLE moderation.edit_label (
    edit   INTEGER NOT NULL, -- PK, references moderation.edit.id
    label  INTEGER NOT NULL, -- PK, references label.id
    status SMALLINT NOT NULL CHECK (status BETWEEN 1 AND 9)
);

CREATE TABLE moderation.edit_recording (
    edit      INTEGER NOT NULL, -- PK, references moderation.edit.id
    recording INTEGER NOT NULL -- PK, references recording.id
);

CREATE TABLE moderation.edit_release (
    edit    INTEGER NOT NULL, -- PK, references moderation.edit.id
    release INTEGER NOT NULL -- PK, references release.id
);

CREATE TABLE moderation.edit_release_group (
    edit          INTEGER NOT NULL, -- PK, references moderation.edit.id
    release_group INTEGER NOT NULL -- PK, references release_group.id
);

CREATE TABLE moderation.edit_work (
    edit INTEGER NOT NULL, -- PK, references moderation.edit.id
    work INTEGER NOT NULL -- PK, references work.id
);

CREATE TABLE moderation.editor_collection_type (
    id          SERIAL, -- PK
    name        VARCHAR(255) NOT NULL,
    entity_type VARCHAR(50) NOT NULL CHECK (entity_type IN ('area', 'artist', 'event', 'genre', 'instrument', 'label', 'place', 'recording', 'release', 'release_group', 'series', 'url', 'work'))
);

CREATE TABLE moderation.editor_collection (
    id          SERIAL, -- PK
    gid         UUID NOT NULL,
    editor      INTEGER NOT NULL, -- references moderation.editor.id
    name        VARCHAR NOT NULL CHECK (controlled_for_whitespace(name) AND name <> ''),
    public      BOOLEAN NOT NULL DEFAULT FALSE,
    description TEXT NOT NULL DEFAULT '',
    type        INTEGER NOT NULL -- references moderation.editor_collection_type.id
);

CREATE TABLE moderation.editor_collection_artist (
    collection INTEGER NOT NULL, -- PK, references moderation.editor_collection.id
    artist     INTEGER NOT NULL, -- PK, references artist.id
    added      TIMESTAMP WITH TIME ZONE DEFAULT now(),
    position   INTEGER NOT NULL DEFAULT 0 CHECK (position >= 0),
    comment    TEXT NOT NULL DEFAULT ''
);

CREATE TABLE moderation.editor_collection_event (
    collection INTEGER NOT NULL, -- PK, references moderation.editor_collection.id
    event      INTEGER NOT NULL, -- PK, references event.id
    added      TIMESTAMP WITH TIME ZONE DEFAULT now(),
    position   INTEGER NOT NULL DEFAULT 0 CHECK (position >= 0),
    comment    TEXT NOT NULL DEFAULT ''
);

CREATE TABLE moderation.editor_collection_label (
    collection INTEGER NOT NULL, -- PK, references moderation.editor_collection.id
    label      INTEGER NOT NULL, -- PK, references label.id
    added      TIMESTAMP WITH TIME ZONE DEFAULT now(),
    position   INTEGER NOT NULL DEFAULT 0 CHECK (position >= 0),
    comment    TEXT NOT NULL DEFAULT ''
);

CREATE TABLE moderation.editor_collection_release (
    collection INTEGER NOT NULL, -- PK, references moderation.editor_collection.id
    release    INTEGER NOT NULL, -- PK, references release.id
    added      TIMESTAMP WITH TIME ZONE DEFAULT now(),
    position   INTEGER NOT NULL DEFAULT 0 CHECK (position >= 0),
    comment    TEXT NOT NULL DEFAULT ''
);

CREATE TABLE moderation.editor_collection_work (
    collection INTEGER NOT NULL, -- PK, references moderation.editor_collection.id
    work       INTEGER NOT NULL, -- PK, references work.id
    added      TIMESTAMP WITH TIME ZONE DEFAULT now(),
    position   INTEGER NOT NULL DEFAULT 0 CHECK (position >= 0),
    comment    TEXT NOT NULL DEFAULT ''
);

CREATE TABLE moderation.editor_subscribe_artist (
    id             SERIAL, -- PK
    editor         INTEGER NOT NULL, -- references moderation.editor.id
    artist         INTEGER NOT NULL, -- references artist.id
    last_edit_sent INTEGER NOT NULL -- references moderation.edit.id
);

CREATE TABLE moderation.editor_subscribe_label (
    id             SERIAL, -- PK
    editor         INTEGER NOT NULL, -- references moderation.editor.id
    label          INTEGER NOT NULL, -- references label.id
    last_edit_sent INTEGER NOT NULL -- references moderation.edit.id
);

CREATE TABLE moderation.editor_subscribe_series (
    id             SERIAL, -- PK
    editor         INTEGER NOT NULL, -- references moderation.editor.id
    series         INTEGER NOT NULL, -- references series.id
    last_edit_sent INTEGER NOT NULL -- references moderation.edit.id
);

CREATE TABLE moderation.editor_subscribe_editor (
    id                SERIAL, -- PK
    editor            INTEGER NOT NULL, -- references moderation.editor.id
    subscribed_editor INTEGER NOT NULL, -- references moderation.editor.id
    last_edit_sent    INTEGER NOT NULL,
    CONSTRAINT editor_subscribe_editor_not_self CHECK (editor <> subscribed_editor)
);

CREATE TABLE moderation.editor_preference (
    editor INTEGER NOT NULL, -- PK, references moderation.editor.id
    name   VARCHAR(50) NOT NULL, -- PK
    value  VARCHAR(100) NOT NULL
);

CREATE TABLE moderation.editor_oauth_token (
    id                    SERIAL, -- PK
    editor                INTEGER NOT NULL, -- references moderation.editor.id
    application           VARCHAR(80) NOT NULL,
    authorization_code    TEXT,
    refresh_token         TEXT,
    access_token          TEXT,
    expire_time           TIMESTAMP WITH TIME ZONE NOT NULL,
    scope                 INTEGER NOT NULL DEFAULT 0,
    code_challenge        TEXT,
    code_challenge_method challenge_method,
    CONSTRAINT editor_oauth_token_challenge_pair CHECK ((code_challenge IS NULL) = (code_challenge_method IS NULL) AND (code_challenge IS NULL OR code_challenge ~ '^[A-Za-z0-9.~_-]{43,128}$'))
);

CREATE TABLE art_archive.image_type (
    mime_type TEXT NOT NULL CHECK (mime_type ~ '^(image|application)/[a-z]+$'), -- PK
    suffix    TEXT NOT NULL
);

CREATE TABLE art_archive.art_type (
    id     SERIAL, -- PK
    name   TEXT NOT NULL,
    parent INTEGER, -- references art_archive.art_type.id
    gid    UUID NOT NULL
);

CREATE TABLE art_archive.release_art ( -- ids are assigned by the archive
    id                 BIGINT NOT NULL, -- PK
    release            INTEGER NOT NULL, -- references release.id
    comment            TEXT NOT NULL DEFAULT '',
    edit               INTEGER NOT NULL, -- references moderation.edit.id
    ordering           INTEGER NOT NULL CHECK (ordering > 0),
    date_uploaded      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
    edits_pending      INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    mime_type          TEXT NOT NULL, -- references art_archive.image_type.mime_type
    filesize           INTEGER CHECK (filesize > 0),
    thumb_250_filesize INTEGER,
    thumb_500_filesize INTEGER,
    CONSTRAINT release_art_thumbs CHECK (thumb_250_filesize <= thumb_500_filesize AND thumb_500_filesize > 0)
);

CREATE TABLE art_archive.release_art_type (
    id      BIGINT NOT NULL, -- PK, references art_archive.release_art.id
    type_id INTEGER NOT NULL -- PK, references art_archive.art_type.id
);

CREATE TABLE art_archive.event_art ( -- ids are assigned by the archive
    id                 BIGINT NOT NULL, -- PK
    event              INTEGER NOT NULL, -- references event.id
    comment            TEXT NOT NULL DEFAULT '',
    edit               INTEGER NOT NULL, -- references moderation.edit.id
    ordering           INTEGER NOT NULL CHECK (ordering > 0),
    date_uploaded      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
    edits_pending      INTEGER NOT NULL DEFAULT 0 CHECK (edits_pending >= 0),
    mime_type          TEXT NOT NULL, -- references art_archive.image_type.mime_type
    filesize           INTEGER CHECK (filesize > 0),
    thumb_250_filesize INTEGER,
    thumb_500_filesize INTEGER,
    CONSTRAINT event_art_thumbs CHECK (thumb_250_filesize <= thumb_500_filesize AND thumb_500_filesize > 0)
);

CREATE TABLE art_archive.event_art_type (
    id      BIGINT NOT NULL, -- PK, references art_archive.event_art.id
    type_id INTEGER NOT NULL -- PK, references art_archive.art_type.id
);

CREATE TABLE art_archive.release_group_cover (
    release_group INTEGER NOT NULL, -- PK, references release_group.id
    release       INTEGER NOT NULL -- references release.id
);

CREATE TABLE statistics.statistic (
    id             SERIAL, -- PK
    name           VARCHAR(100) NOT NULL CHECK (name ~ '^[a-z]+(\.[a-z0-9_]+)*$'),
    value          INTEGER NOT NULL CHECK (value >= 0),
    date_collected DATE NOT NULL DEFAULT CURRENT_DATE
);

CREATE TABLE statistics.statistic_event (
    date        DATE NOT NULL CHECK (date >= '2000-01-01'), -- PK
    title       TEXT NOT NULL CHECK (title <> ''),
    link        TEXT NOT NULL,
    description TEXT NOT NULL
);

--------------------------------------------------------------------------------
-- Primary keys
--------------------------------------------------------------------------------

ALTER TABLE language ADD CONSTRAINT language_pkey PRIMARY KEY (id);
ALTER TABLE script ADD CONSTRAINT script_pkey PRIMARY KEY (id);
ALTER TABLE area_type ADD CONSTRAINT area_type_pkey PRIMARY KEY (id);
ALTER TABLE artist_type ADD CONSTRAINT artist_type_pkey PRIMARY KEY (id);
ALTER TABLE event_type ADD CONSTRAINT event_type_pkey PRIMARY KEY (id);
ALTER TABLE instrument_type ADD CONSTRAINT instrument_type_pkey PRIMARY KEY (id);
ALTER TABLE label_type ADD CONSTRAINT label_type_pkey PRIMARY KEY (id);
ALTER TABLE place_type ADD CONSTRAINT place_type_pkey PRIMARY KEY (id);
ALTER TABLE release_group_primary_type ADD CONSTRAINT release_group_primary_type_pkey PRIMARY KEY (id);
ALTER TABLE release_group_secondary_type ADD CONSTRAINT release_group_secondary_type_pkey PRIMARY KEY (id);
ALTER TABLE series_type ADD CONSTRAINT series_type_pkey PRIMARY KEY (id);
ALTER TABLE work_type ADD CONSTRAINT work_type_pkey PRIMARY KEY (id);
ALTER TABLE release_status ADD CONSTRAINT release_status_pkey PRIMARY KEY (id);
ALTER TABLE release_packaging ADD CONSTRAINT release_packaging_pkey PRIMARY KEY (id);
ALTER TABLE area_alias_type ADD CONSTRAINT area_alias_type_pkey PRIMARY KEY (id);
ALTER TABLE artist_alias_type ADD CONSTRAINT artist_alias_type_pkey PRIMARY KEY (id);
ALTER TABLE event_alias_type ADD CONSTRAINT event_alias_type_pkey PRIMARY KEY (id);
ALTER TABLE instrument_alias_type ADD CONSTRAINT instrument_alias_type_pkey PRIMARY KEY (id);
ALTER TABLE label_alias_type ADD CONSTRAINT label_alias_type_pkey PRIMARY KEY (id);
ALTER TABLE place_alias_type ADD CONSTRAINT place_alias_type_pkey PRIMARY KEY (id);
ALTER TABLE recording_alias_type ADD CONSTRAINT recording_alias_type_pkey PRIMARY KEY (id);
ALTER TABLE release_alias_type ADD CONSTRAINT release_alias_type_pkey PRIMARY KEY (id);
ALTER TABLE release_group_alias_type ADD CONSTRAINT release_group_alias_type_pkey PRIMARY KEY (id);
ALTER TABLE series_alias_type ADD CONSTRAINT series_alias_type_pkey PRIMARY KEY (id);
ALTER TABLE work_alias_type ADD CONSTRAINT work_alias_type_pkey PRIMARY KEY (id);
ALTER TABLE work_attribute_type ADD CONSTRAINT work_attribute_type_pkey PRIMARY KEY (id);
ALTER TABLE gender ADD CONSTRAINT gender_pkey PRIMARY KEY (id);
ALTER TABLE medium_format ADD CONSTRAINT medium_format_pkey PRIMARY KEY (id);
ALTER TABLE moderation.editor ADD CONSTRAINT editor_pkey PRIMARY KEY (id);
ALTER TABLE annotation ADD CONSTRAINT annotation_pkey PRIMARY KEY (id);
ALTER TABLE tag ADD CONSTRAINT tag_pkey PRIMARY KEY (id);
ALTER TABLE artist_credit ADD CONSTRAINT artist_credit_pkey PRIMARY KEY (id);
ALTER TABLE area ADD CONSTRAINT area_pkey PRIMARY KEY (id);
ALTER TABLE area_gid_redirect ADD CONSTRAINT area_gid_redirect_pkey PRIMARY KEY (gid);
ALTER TABLE area_alias ADD CONSTRAINT area_alias_pkey PRIMARY KEY (id);
ALTER TABLE area_annotation ADD CONSTRAINT area_annotation_pkey PRIMARY KEY (area, annotation);
ALTER TABLE area_tag ADD CONSTRAINT area_tag_pkey PRIMARY KEY (area, tag);
ALTER TABLE artist ADD CONSTRAINT artist_pkey PRIMARY KEY (id);
ALTER TABLE artist_gid_redirect ADD CONSTRAINT artist_gid_redirect_pkey PRIMARY KEY (gid);
ALTER TABLE artist_alias ADD CONSTRAINT artist_alias_pkey PRIMARY KEY (id);
ALTER TABLE artist_annotation ADD CONSTRAINT artist_annotation_pkey PRIMARY KEY (artist, annotation);
ALTER TABLE artist_tag ADD CONSTRAINT artist_tag_pkey PRIMARY KEY (artist, tag);
ALTER TABLE artist_meta ADD CONSTRAINT artist_meta_pkey PRIMARY KEY (id);
ALTER TABLE moderation.artist_rating ADD CONSTRAINT artist_rating_pkey PRIMARY KEY (artist, editor);
ALTER TABLE event ADD CONSTRAINT event_pkey PRIMARY KEY (id);
ALTER TABLE event_gid_redirect ADD CONSTRAINT event_gid_redirect_pkey PRIMARY KEY (gid);
ALTER TABLE event_alias ADD CONSTRAINT event_alias_pkey PRIMARY KEY (id);
ALTER TABLE event_annotation ADD CONSTRAINT event_annotation_pkey PRIMARY KEY (event, annotation);
ALTER TABLE event_tag ADD CONSTRAINT event_tag_pkey PRIMARY KEY (event, tag);
ALTER TABLE event_meta ADD CONSTRAINT event_meta_pkey PRIMARY KEY (id);
ALTER TABLE moderation.event_rating ADD CONSTRAINT event_rating_pkey PRIMARY KEY (event, editor);
ALTER TABLE genre ADD CONSTRAINT genre_pkey PRIMARY KEY (id);
ALTER TABLE instrument ADD CONSTRAINT instrument_pkey PRIMARY KEY (id);
ALTER TABLE instrument_gid_redirect ADD CONSTRAINT instrument_gid_redirect_pkey PRIMARY KEY (gid);
ALTER TABLE instrument_alias ADD CONSTRAINT instrument_alias_pkey PRIMARY KEY (id);
ALTER TABLE instrument_annotation ADD CONSTRAINT instrument_annotation_pkey PRIMARY KEY (instrument, annotation);
ALTER TABLE instrument_tag ADD CONSTRAINT instrument_tag_pkey PRIMARY KEY (instrument, tag);
ALTER TABLE label ADD CONSTRAINT label_pkey PRIMARY KEY (id);
ALTER TABLE label_gid_redirect ADD CONSTRAINT label_gid_redirect_pkey PRIMARY KEY (gid);
ALTER TABLE label_alias ADD CONSTRAINT label_alias_pkey PRIMARY KEY (id);
ALTER TABLE label_annotation ADD CONSTRAINT label_annotation_pkey PRIMARY KEY (label, annotation);
ALTER TABLE label_tag ADD CONSTRAINT label_tag_pkey PRIMARY KEY (label, tag);
ALTER TABLE label_meta ADD CONSTRAINT label_meta_pkey PRIMARY KEY (id);
ALTER TABLE moderation.label_rating ADD CONSTRAINT label_rating_pkey PRIMARY KEY (label, editor);
ALTER TABLE place ADD CONSTRAINT place_pkey PRIMARY KEY (id);
ALTER TABLE place_gid_redirect ADD CONSTRAINT place_gid_redirect_pkey PRIMARY KEY (gid);
ALTER TABLE place_alias ADD CONSTRAINT place_alias_pkey PRIMARY KEY (id);
ALTER TABLE place_annotation ADD CONSTRAINT place_annotation_pkey PRIMARY KEY (place, annotation);
ALTER TABLE place_tag ADD CONSTRAINT place_tag_pkey PRIMARY KEY (place, tag);
ALTER TABLE release_group ADD CONSTRAINT release_group_pkey PRIMARY KEY (id);
ALTER TABLE release_group_gid_redirect ADD CONSTRAINT release_group_gid_redirect_pkey PRIMARY KEY (gid);
ALTER TABLE release_group_alias ADD CONSTRAINT release_group_alias_pkey PRIMARY KEY (id);
ALTER TABLE release_group_annotation ADD CONSTRAINT release_group_annotation_pkey PRIMARY KEY (release_group, annotation);
ALTER TABLE release_group_tag ADD CONSTRAINT release_group_tag_pkey PRIMARY KEY (release_group, tag);
ALTER TABLE release_group_meta ADD CONSTRAINT release_group_meta_pkey PRIMARY KEY (id);
ALTER TABLE moderation.release_group_rating ADD CONSTRAINT release_group_rating_pkey PRIMARY KEY (release_group, editor);
ALTER TABLE release ADD CONSTRAINT release_pkey PRIMARY KEY (id);
ALTER TABLE release_gid_redirect ADD CONSTRAINT release_gid_redirect_pkey PRIMARY KEY (gid);
ALTER TABLE release_alias ADD CONSTRAINT release_alias_pkey PRIMARY KEY (id);
ALTER TABLE release_annotation ADD CONSTRAINT release_annotation_pkey PRIMARY KEY (release, annotation);
ALTER TABLE release_tag ADD CONSTRAINT release_tag_pkey PRIMARY KEY (release, tag);
ALTER TABLE recording ADD CONSTRAINT recording_pkey PRIMARY KEY (id);
ALTER TABLE recording_gid_redirect ADD CONSTRAINT recording_gid_redirect_pkey PRIMARY KEY (gid);
ALTER TABLE recording_alias ADD CONSTRAINT recording_alias_pkey PRIMARY KEY (id);
ALTER TABLE recording_annotation ADD CONSTRAINT recording_annotation_pkey PRIMARY KEY (recording, annotation);
ALTER TABLE recording_tag ADD CONSTRAINT recording_tag_pkey PRIMARY KEY (recording, tag);
ALTER TABLE recording_meta ADD CONSTRAINT recording_meta_pkey PRIMARY KEY (id);
ALTER TABLE moderation.recording_rating ADD CONSTRAINT recording_rating_pkey PRIMARY KEY (recording, editor);
ALTER TABLE series ADD CONSTRAINT series_pkey PRIMARY KEY (id);
ALTER TABLE series_gid_redirect ADD CONSTRAINT series_gid_redirect_pkey PRIMARY KEY (gid);
ALTER TABLE series_alias ADD CONSTRAINT series_alias_pkey PRIMARY KEY (id);
ALTER TABLE series_annotation ADD CONSTRAINT series_annotation_pkey PRIMARY KEY (series, annotation);
ALTER TABLE series_tag ADD CONSTRAINT series_tag_pkey PRIMARY KEY (series, tag);
ALTER TABLE work ADD CONSTRAINT work_pkey PRIMARY KEY (id);
ALTER TABLE work_gid_redirect ADD CONSTRAINT work_gid_redirect_pkey PRIMARY KEY (gid);
ALTER TABLE work_alias ADD CONSTRAINT work_alias_pkey PRIMARY KEY (id);
ALTER TABLE work_annotation ADD CONSTRAINT work_annotation_pkey PRIMARY KEY (work, annotation);
ALTER TABLE work_tag ADD CONSTRAINT work_tag_pkey PRIMARY KEY (work, tag);
ALTER TABLE work_meta ADD CONSTRAINT work_meta_pkey PRIMARY KEY (id);
ALTER TABLE moderation.work_rating ADD CONSTRAINT work_rating_pkey PRIMARY KEY (work, editor);
ALTER TABLE url ADD CONSTRAINT url_pkey PRIMARY KEY (id);
ALTER TABLE url_gid_redirect ADD CONSTRAINT url_gid_redirect_pkey PRIMARY KEY (gid);
ALTER TABLE country_area ADD CONSTRAINT country_area_pkey PRIMARY KEY (area);
ALTER TABLE iso_3166_1 ADD CONSTRAINT iso_3166_1_pkey PRIMARY KEY (code);
ALTER TABLE iso_3166_2 ADD CONSTRAINT iso_3166_2_pkey PRIMARY KEY (code);
ALTER TABLE area_containment ADD CONSTRAINT area_containment_pkey PRIMARY KEY (descendant, parent);
ALTER TABLE artist_credit_name ADD CONSTRAINT artist_credit_name_pkey PRIMARY KEY (artist_credit, position);
ALTER TABLE artist_ipi ADD CONSTRAINT artist_ipi_pkey PRIMARY KEY (artist, ipi);
ALTER TABLE artist_isni ADD CONSTRAINT artist_isni_pkey PRIMARY KEY (artist, isni);
ALTER TABLE label_ipi ADD CONSTRAINT label_ipi_pkey PRIMARY KEY (label, ipi);
ALTER TABLE label_isni ADD CONSTRAINT label_isni_pkey PRIMARY KEY (label, isni);
ALTER TABLE isrc ADD CONSTRAINT isrc_pkey PRIMARY KEY (id);
ALTER TABLE iswc ADD CONSTRAINT iswc_pkey PRIMARY KEY (id);
ALTER TABLE medium ADD CONSTRAINT medium_pkey PRIMARY KEY (id);
ALTER TABLE track ADD CONSTRAINT track_pkey PRIMARY KEY (id);
ALTER TABLE cdtoc ADD CONSTRAINT cdtoc_pkey PRIMARY KEY (id);
ALTER TABLE medium_cdtoc ADD CONSTRAINT medium_cdtoc_pkey PRIMARY KEY (id);
ALTER TABLE release_country ADD CONSTRAINT release_country_pkey PRIMARY KEY (release, country);
ALTER TABLE release_unknown_country ADD CONSTRAINT release_unknown_country_pkey PRIMARY KEY (release);
ALTER TABLE release_label ADD CONSTRAINT release_label_pkey PRIMARY KEY (id);
ALTER TABLE release_meta ADD CONSTRAINT release_meta_pkey PRIMARY KEY (id);
ALTER TABLE release_group_secondary_type_join ADD CONSTRAINT release_group_secondary_type_join_pkey PRIMARY KEY (release_group, secondary_type);
ALTER TABLE work_language ADD CONSTRAINT work_language_pkey PRIMARY KEY (work, language);
ALTER TABLE work_attribute_type_allowed_value ADD CONSTRAINT work_attribute_type_allowed_value_pkey PRIMARY KEY (id);
ALTER TABLE work_attribute ADD CONSTRAINT work_attribute_pkey PRIMARY KEY (id);
ALTER TABLE recording_similarity ADD CONSTRAINT recording_similarity_pkey PRIMARY KEY (recording0, recording1);
ALTER TABLE tag_relation ADD CONSTRAINT tag_relation_pkey PRIMARY KEY (tag1, tag2);
ALTER TABLE link_type ADD CONSTRAINT link_type_pkey PRIMARY KEY (id);
ALTER TABLE link ADD CONSTRAINT link_pkey PRIMARY KEY (id);
ALTER TABLE link_attribute_type ADD CONSTRAINT link_attribute_type_pkey PRIMARY KEY (id);
ALTER TABLE link_creditable_attribute_type ADD CONSTRAINT link_creditable_attribute_type_pkey PRIMARY KEY (attribute_type);
ALTER TABLE link_text_attribute_type ADD CONSTRAINT link_text_attribute_type_pkey PRIMARY KEY (attribute_type);
ALTER TABLE link_type_attribute_type ADD CONSTRAINT link_type_attribute_type_pkey PRIMARY KEY (link_type, attribute_type);
ALTER TABLE link_attribute ADD CONSTRAINT link_attribute_pkey PRIMARY KEY (link, attribute_type);
ALTER TABLE link_attribute_credit ADD CONSTRAINT link_attribute_credit_pkey PRIMARY KEY (link, attribute_type);
ALTER TABLE link_attribute_text_value ADD CONSTRAINT link_attribute_text_value_pkey PRIMARY KEY (link, attribute_type);
ALTER TABLE l_area_area ADD CONSTRAINT l_area_area_pkey PRIMARY KEY (id);
ALTER TABLE l_area_event ADD CONSTRAINT l_area_event_pkey PRIMARY KEY (id);
ALTER TABLE l_area_label ADD CONSTRAINT l_area_label_pkey PRIMARY KEY (id);
ALTER TABLE l_area_recording ADD CONSTRAINT l_area_recording_pkey PRIMARY KEY (id);
ALTER TABLE l_area_release ADD CONSTRAINT l_area_release_pkey PRIMARY KEY (id);
ALTER TABLE l_area_series ADD CONSTRAINT l_area_series_pkey PRIMARY KEY (id);
ALTER TABLE l_area_url ADD CONSTRAINT l_area_url_pkey PRIMARY KEY (id);
ALTER TABLE l_area_work ADD CONSTRAINT l_area_work_pkey PRIMARY KEY (id);
ALTER TABLE l_artist_artist ADD CONSTRAINT l_artist_artist_pkey PRIMARY KEY (id);
ALTER TABLE l_artist_event ADD CONSTRAINT l_artist_event_pkey PRIMARY KEY (id);
ALTER TABLE l_artist_instrument ADD CONSTRAINT l_artist_instrument_pkey PRIMARY KEY (id);
ALTER TABLE l_artist_label ADD CONSTRAINT l_artist_label_pkey PRIMARY KEY (id);
ALTER TABLE l_artist_place ADD CONSTRAINT l_artist_place_pkey PRIMARY KEY (id);
ALTER TABLE l_artist_recording ADD CONSTRAINT l_artist_recording_pkey PRIMARY KEY (id);
ALTER TABLE l_artist_release ADD CONSTRAINT l_artist_release_pkey PRIMARY KEY (id);
ALTER TABLE l_artist_release_group ADD CONSTRAINT l_artist_release_group_pkey PRIMARY KEY (id);
ALTER TABLE l_artist_series ADD CONSTRAINT l_artist_series_pkey PRIMARY KEY (id);
ALTER TABLE l_artist_url ADD CONSTRAINT l_artist_url_pkey PRIMARY KEY (id);
ALTER TABLE l_artist_work ADD CONSTRAINT l_artist_work_pkey PRIMARY KEY (id);
ALTER TABLE l_event_event ADD CONSTRAINT l_event_event_pkey PRIMARY KEY (id);
ALTER TABLE l_event_place ADD CONSTRAINT l_event_place_pkey PRIMARY KEY (id);
ALTER TABLE l_event_recording ADD CONSTRAINT l_event_recording_pkey PRIMARY KEY (id);
ALTER TABLE l_event_release ADD CONSTRAINT l_event_release_pkey PRIMARY KEY (id);
ALTER TABLE l_event_series ADD CONSTRAINT l_event_series_pkey PRIMARY KEY (id);
ALTER TABLE l_event_url ADD CONSTRAINT l_event_url_pkey PRIMARY KEY (id);
ALTER TABLE l_genre_genre ADD CONSTRAINT l_genre_genre_pkey PRIMARY KEY (id);
ALTER TABLE l_genre_instrument ADD CONSTRAINT l_genre_instrument_pkey PRIMARY KEY (id);
ALTER TABLE l_instrument_instrument ADD CONSTRAINT l_instrument_instrument_pkey PRIMARY KEY (id);
ALTER TABLE l_instrument_label ADD CONSTRAINT l_instrument_label_pkey PRIMARY KEY (id);
ALTER TABLE l_instrument_url ADD CONSTRAINT l_instrument_url_pkey PRIMARY KEY (id);
ALTER TABLE l_label_label ADD CONSTRAINT l_label_label_pkey PRIMARY KEY (id);
ALTER TABLE l_label_place ADD CONSTRAINT l_label_place_pkey PRIMARY KEY (id);
ALTER TABLE l_label_recording ADD CONSTRAINT l_label_recording_pkey PRIMARY KEY (id);
ALTER TABLE l_label_release ADD CONSTRAINT l_label_release_pkey PRIMARY KEY (id);
ALTER TABLE l_label_series ADD CONSTRAINT l_label_series_pkey PRIMARY KEY (id);
ALTER TABLE l_label_url ADD CONSTRAINT l_label_url_pkey PRIMARY KEY (id);
ALTER TABLE l_label_work ADD CONSTRAINT l_label_work_pkey PRIMARY KEY (id);
ALTER TABLE l_place_place ADD CONSTRAINT l_place_place_pkey PRIMARY KEY (id);
ALTER TABLE l_place_recording ADD CONSTRAINT l_place_recording_pkey PRIMARY KEY (id);
ALTER TABLE l_place_release ADD CONSTRAINT l_place_release_pkey PRIMARY KEY (id);
ALTER TABLE l_place_url ADD CONSTRAINT l_place_url_pkey PRIMARY KEY (id);
ALTER TABLE l_place_work ADD CONSTRAINT l_place_work_pkey PRIMARY KEY (id);
ALTER TABLE l_recording_recording ADD CONSTRAINT l_recording_recording_pkey PRIMARY KEY (id);
ALTER TABLE l_recording_release ADD CONSTRAINT l_recording_release_pkey PRIMARY KEY (id);
ALTER TABLE l_recording_series ADD CONSTRAINT l_recording_series_pkey PRIMARY KEY (id);
ALTER TABLE l_recording_url ADD CONSTRAINT l_recording_url_pkey PRIMARY KEY (id);
ALTER TABLE l_recording_work ADD CONSTRAINT l_recording_work_pkey PRIMARY KEY (id);
ALTER TABLE l_release_release ADD CONSTRAINT l_release_release_pkey PRIMARY KEY (id);
ALTER TABLE l_release_series ADD CONSTRAINT l_release_series_pkey PRIMARY KEY (id);
ALTER TABLE l_release_url ADD CONSTRAINT l_release_url_pkey PRIMARY KEY (id);
ALTER TABLE l_release_group_release_group ADD CONSTRAINT l_release_group_release_group_pkey PRIMARY KEY (id);
ALTER TABLE l_release_group_series ADD CONSTRAINT l_release_group_series_pkey PRIMARY KEY (id);
ALTER TABLE l_release_group_url ADD CONSTRAINT l_release_group_url_pkey PRIMARY KEY (id);
ALTER TABLE l_series_series ADD CONSTRAINT l_series_series_pkey PRIMARY KEY (id);
ALTER TABLE l_series_url ADD CONSTRAINT l_series_url_pkey PRIMARY KEY (id);
ALTER TABLE l_series_work ADD CONSTRAINT l_series_work_pkey PRIMARY KEY (id);
ALTER TABLE l_url_work ADD CONSTRAINT l_url_work_pkey PRIMARY KEY (id);
ALTER TABLE l_work_work ADD CONSTRAINT l_work_work_pkey PRIMARY KEY (id);
ALTER TABLE moderation.edit ADD CONSTRAINT edit_pkey PRIMARY KEY (id);
ALTER TABLE moderation.edit_data ADD CONSTRAINT edit_data_pkey PRIMARY KEY (edit);
ALTER TABLE moderation.vote ADD CONSTRAINT vote_pkey PRIMARY KEY (id);
ALTER TABLE moderation.edit_note ADD CONSTRAINT edit_note_pkey PRIMARY KEY (id);
ALTER TABLE moderation.edit_area ADD CONSTRAINT edit_area_pkey PRIMARY KEY (edit, area);
ALTER TABLE moderation.edit_artist ADD CONSTRAINT edit_artist_pkey PRIMARY KEY (edit, artist);
ALTER TABLE moderation.edit_event ADD CONSTRAINT edit_event_pkey PRIMARY KEY (edit, event);
ALTER TABLE moderation.edit_label ADD CONSTRAINT edit_label_pkey PRIMARY KEY (edit, label);
ALTER TABLE moderation.edit_recording ADD CONSTRAINT edit_recording_pkey PRIMARY KEY (edit, recording);
ALTER TABLE moderation.edit_release ADD CONSTRAINT edit_release_pkey PRIMARY KEY (edit, release);
ALTER TABLE moderation.edit_release_group ADD CONSTRAINT edit_release_group_pkey PRIMARY KEY (edit, release_group);
ALTER TABLE moderation.edit_work ADD CONSTRAINT edit_work_pkey PRIMARY KEY (edit, work);
ALTER TABLE moderation.editor_collection_type ADD CONSTRAINT editor_collection_type_pkey PRIMARY KEY (id);
ALTER TABLE moderation.editor_collection ADD CONSTRAINT editor_collection_pkey PRIMARY KEY (id);
ALTER TABLE moderation.editor_collection_artist ADD CONSTRAINT editor_collection_artist_pkey PRIMARY KEY (collection, artist);
ALTER TABLE moderation.editor_collection_event ADD CONSTRAINT editor_collection_event_pkey PRIMARY KEY (collection, event);
ALTER TABLE moderation.editor_collection_label ADD CONSTRAINT editor_collection_label_pkey PRIMARY KEY (collection, label);
ALTER TABLE moderation.editor_collection_release ADD CONSTRAINT editor_collection_release_pkey PRIMARY KEY (collection, release);
ALTER TABLE moderation.editor_collection_work ADD CONSTRAINT editor_collection_work_pkey PRIMARY KEY (collection, work);
ALTER TABLE moderation.editor_subscribe_artist ADD CONSTRAINT editor_subscribe_artist_pkey PRIMARY KEY (id);
ALTER TABLE moderation.editor_subscribe_label ADD CONSTRAINT editor_subscribe_label_pkey PRIMARY KEY (id);
ALTER TABLE moderation.editor_subscribe_series ADD CONSTRAINT editor_subscribe_series_pkey PRIMARY KEY (id);
ALTER TABLE moderation.editor_subscribe_editor ADD CONSTRAINT editor_subscribe_editor_pkey PRIMARY KEY (id);
ALTER TABLE moderation.editor_preference ADD CONSTRAINT editor_preference_pkey PRIMARY KEY (editor, name);
ALTER TABLE moderation.editor_oauth_token ADD CONSTRAINT editor_oauth_token_pkey PRIMARY KEY (id);
ALTER TABLE art_archive.image_type ADD CONSTRAINT image_type_pkey PRIMARY KEY (mime_type);
ALTER TABLE art_archive.art_type ADD CONSTRAINT art_type_pkey PRIMARY KEY (id);
ALTER TABLE art_archive.release_art ADD CONSTRAINT release_art_pkey PRIMARY KEY (id);
ALTER TABLE art_archive.release_art_type ADD CONSTRAINT release_art_type_pkey PRIMARY KEY (id, type_id);
ALTER TABLE art_archive.event_art ADD CONSTRAINT event_art_pkey PRIMARY KEY (id);
ALTER TABLE art_archive.event_art_type ADD CONSTRAINT event_art_type_pkey PRIMARY KEY (id, type_id);
ALTER TABLE art_archive.release_group_cover ADD CONSTRAINT release_group_cover_pkey PRIMARY KEY (release_group);
ALTER TABLE statistics.statistic ADD CONSTRAINT statistic_pkey PRIMARY KEY (id);
ALTER TABLE statistics.statistic_event ADD CONSTRAINT statistic_event_pkey PRIMARY KEY (date);

--------------------------------------------------------------------------------
-- Indexes
--------------------------------------------------------------------------------

CREATE UNIQUE INDEX language_uniq_iso_code_2b ON language (iso_code_2b);
CREATE UNIQUE INDEX language_uniq_iso_code_2t ON language (iso_code_2t);
CREATE UNIQUE INDEX language_uniq_iso_code_1 ON language (iso_code_1);
CREATE UNIQUE INDEX language_uniq_iso_code_3 ON language (iso_code_3);
CREATE UNIQUE INDEX script_uniq_iso_code ON script (iso_code);
CREATE UNIQUE INDEX area_type_uniq_gid ON area_type (gid);
CREATE UNIQUE INDEX artist_type_uniq_gid ON artist_type (gid);
CREATE UNIQUE INDEX event_type_uniq_gid ON event_type (gid);
CREATE UNIQUE INDEX instrument_type_uniq_gid ON instrument_type (gid);
CREATE UNIQUE INDEX label_type_uniq_gid ON label_type (gid);
CREATE UNIQUE INDEX place_type_uniq_gid ON place_type (gid);
CREATE UNIQUE INDEX release_group_primary_type_uniq_gid ON release_group_primary_type (gid);
CREATE UNIQUE INDEX release_group_secondary_type_uniq_gid ON release_group_secondary_type (gid);
CREATE UNIQUE INDEX series_type_uniq_gid ON series_type (gid);
CREATE UNIQUE INDEX work_type_uniq_gid ON work_type (gid);
CREATE UNIQUE INDEX release_status_uniq_gid ON release_status (gid);
CREATE UNIQUE INDEX release_packaging_uniq_gid ON release_packaging (gid);
CREATE UNIQUE INDEX area_alias_type_uniq_gid ON area_alias_type (gid);
CREATE UNIQUE INDEX artist_alias_type_uniq_gid ON artist_alias_type (gid);
CREATE UNIQUE INDEX event_alias_type_uniq_gid ON event_alias_type (gid);
CREATE UNIQUE INDEX instrument_alias_type_uniq_gid ON instrument_alias_type (gid);
CREATE UNIQUE INDEX label_alias_type_uniq_gid ON label_alias_type (gid);
CREATE UNIQUE INDEX place_alias_type_uniq_gid ON place_alias_type (gid);
CREATE UNIQUE INDEX recording_alias_type_uniq_gid ON recording_alias_type (gid);
CREATE UNIQUE INDEX release_alias_type_uniq_gid ON release_alias_type (gid);
CREATE UNIQUE INDEX release_group_alias_type_uniq_gid ON release_group_alias_type (gid);
CREATE UNIQUE INDEX series_alias_type_uniq_gid ON series_alias_type (gid);
CREATE UNIQUE INDEX work_alias_type_uniq_gid ON work_alias_type (gid);
CREATE UNIQUE INDEX work_attribute_type_uniq_gid ON work_attribute_type (gid);
CREATE UNIQUE INDEX gender_uniq_gid ON gender (gid);
CREATE UNIQUE INDEX medium_format_uniq_gid ON medium_format (gid);
CREATE UNIQUE INDEX editor_uniq_name ON moderation.editor (lower(name));
CREATE UNIQUE INDEX tag_uniq_name ON tag (name);
CREATE UNIQUE INDEX artist_credit_uniq_gid ON artist_credit (gid);
CREATE UNIQUE INDEX area_uniq_gid ON area (gid);
CREATE INDEX area_gid_redirect_idx_new_id ON area_gid_redirect (new_id);
CREATE INDEX area_alias_idx_area ON area_alias (area);
CREATE UNIQUE INDEX area_alias_uniq_primary ON area_alias (area, locale) WHERE primary_for_locale = TRUE AND locale IS NOT NULL;
CREATE UNIQUE INDEX artist_uniq_gid ON artist (gid);
CREATE INDEX artist_gid_redirect_idx_new_id ON artist_gid_redirect (new_id);
CREATE INDEX artist_alias_idx_artist ON artist_alias (artist);
CREATE UNIQUE INDEX artist_alias_uniq_primary ON artist_alias (artist, locale) WHERE primary_for_locale = TRUE AND locale IS NOT NULL;
CREATE INDEX artist_rating_idx_editor ON moderation.artist_rating (editor);
CREATE UNIQUE INDEX event_uniq_gid ON event (gid);
CREATE INDEX event_gid_redirect_idx_new_id ON event_gid_redirect (new_id);
CREATE INDEX event_alias_idx_event ON event_alias (event);
CREATE UNIQUE INDEX event_alias_uniq_primary ON event_alias (event, locale) WHERE primary_for_locale = TRUE AND locale IS NOT NULL;
CREATE INDEX event_rating_idx_editor ON moderation.event_rating (editor);
CREATE UNIQUE INDEX genre_uniq_gid ON genre (gid);
CREATE UNIQUE INDEX instrument_uniq_gid ON instrument (gid);
CREATE INDEX instrument_gid_redirect_idx_new_id ON instrument_gid_redirect (new_id);
CREATE INDEX instrument_alias_idx_instrument ON instrument_alias (instrument);
CREATE UNIQUE INDEX instrument_alias_uniq_primary ON instrument_alias (instrument, locale) WHERE primary_for_locale = TRUE AND locale IS NOT NULL;
CREATE UNIQUE INDEX label_uniq_gid ON label (gid);
CREATE INDEX label_gid_redirect_idx_new_id ON label_gid_redirect (new_id);
CREATE INDEX label_alias_idx_label ON label_alias (label);
CREATE UNIQUE INDEX label_alias_uniq_primary ON label_alias (label, locale) WHERE primary_for_locale = TRUE AND locale IS NOT NULL;
CREATE INDEX label_rating_idx_editor ON moderation.label_rating (editor);
CREATE UNIQUE INDEX place_uniq_gid ON place (gid);
CREATE INDEX place_gid_redirect_idx_new_id ON place_gid_redirect (new_id);
CREATE INDEX place_alias_idx_place ON place_alias (place);
CREATE UNIQUE INDEX place_alias_uniq_primary ON place_alias (place, locale) WHERE primary_for_locale = TRUE AND locale IS NOT NULL;
CREATE UNIQUE INDEX release_group_uniq_gid ON release_group (gid);
CREATE INDEX release_group_gid_redirect_idx_new_id ON release_group_gid_redirect (new_id);
CREATE INDEX release_group_alias_idx_release_group ON release_group_alias (release_group);
CREATE UNIQUE INDEX release_group_alias_uniq_primary ON release_group_alias (release_group, locale) WHERE primary_for_locale = TRUE AND locale IS NOT NULL;
CREATE INDEX release_group_rating_idx_editor ON moderation.release_group_rating (editor);
CREATE UNIQUE INDEX release_uniq_gid ON release (gid);
CREATE INDEX release_gid_redirect_idx_new_id ON release_gid_redirect (new_id);
CREATE INDEX release_alias_idx_release ON release_alias (release);
CREATE UNIQUE INDEX release_alias_uniq_primary ON release_alias (release, locale) WHERE primary_for_locale = TRUE AND locale IS NOT NULL;
CREATE UNIQUE INDEX recording_uniq_gid ON recording (gid);
CREATE INDEX recording_gid_redirect_idx_new_id ON recording_gid_redirect (new_id);
CREATE INDEX recording_alias_idx_recording ON recording_alias (recording);
CREATE UNIQUE INDEX recording_alias_uniq_primary ON recording_alias (recording, locale) WHERE primary_for_locale = TRUE AND locale IS NOT NULL;
CREATE INDEX recording_rating_idx_editor ON moderation.recording_rating (editor);
CREATE UNIQUE INDEX series_uniq_gid ON series (gid);
CREATE INDEX series_gid_redirect_idx_new_id ON series_gid_redirect (new_id);
CREATE INDEX series_alias_idx_series ON series_alias (series);
CREATE UNIQUE INDEX series_alias_uniq_primary ON series_alias (series, locale) WHERE primary_for_locale = TRUE AND locale IS NOT NULL;
CREATE UNIQUE INDEX work_uniq_gid ON work (gid);
CREATE INDEX work_gid_redirect_idx_new_id ON work_gid_redirect (new_id);
CREATE INDEX work_alias_idx_work ON work_alias (work);
CREATE UNIQUE INDEX work_alias_uniq_primary ON work_alias (work, locale) WHERE primary_for_locale = TRUE AND locale IS NOT NULL;
CREATE INDEX work_rating_idx_editor ON moderation.work_rating (editor);
CREATE UNIQUE INDEX url_uniq_gid ON url (gid);
CREATE INDEX url_gid_redirect_idx_new_id ON url_gid_redirect (new_id);
CREATE UNIQUE INDEX url_uniq_url ON url (url);
CREATE INDEX place_idx_geo ON place USING gist (coordinates) WHERE coordinates IS NOT NULL;
CREATE INDEX artist_idx_lower_name ON artist (lower(name));
CREATE INDEX label_idx_lower_name ON label (lower(name));
CREATE INDEX work_idx_lower_name ON work (lower(name));
CREATE INDEX recording_idx_lower_name ON recording (lower(name));
CREATE UNIQUE INDEX genre_uniq_lower_name ON genre (lower(name));
CREATE UNIQUE INDEX artist_uniq_name_comment ON artist (name, comment);
CREATE UNIQUE INDEX area_uniq_name_comment ON area (lower(name), lower(comment));
CREATE INDEX artist_credit_name_idx_artist ON artist_credit_name (artist);
CREATE UNIQUE INDEX isrc_uniq_isrc_recording ON isrc (isrc, recording);
CREATE UNIQUE INDEX iswc_uniq_iswc_work ON iswc (iswc, work);
CREATE UNIQUE INDEX medium_uniq_release_position ON medium (release, position);
CREATE UNIQUE INDEX medium_uniq_gid ON medium (gid);
CREATE UNIQUE INDEX track_uniq_gid ON track (gid);
CREATE INDEX track_idx_recording ON track (recording);
CREATE INDEX track_idx_artist_credit ON track (artist_credit);
CREATE UNIQUE INDEX cdtoc_uniq_discid ON cdtoc (discid);
CREATE UNIQUE INDEX medium_cdtoc_uniq_medium_cdtoc ON medium_cdtoc (medium, cdtoc);
CREATE INDEX release_label_idx_release ON release_label (release);
CREATE INDEX release_label_idx_lower_catalog_number ON release_label (lower(catalog_number));
CREATE UNIQUE INDEX work_attribute_type_allowed_value_uniq_gid ON work_attribute_type_allowed_value (gid);
CREATE UNIQUE INDEX link_type_uniq_gid ON link_type (gid);
CREATE UNIQUE INDEX link_attribute_type_uniq_gid ON link_attribute_type (gid);
CREATE UNIQUE INDEX l_area_area_uniq_entity0_entity1_link_link_order ON l_area_area (entity0, entity1, link, link_order);
CREATE INDEX l_area_area_idx_entity1 ON l_area_area (entity1);
CREATE UNIQUE INDEX l_area_event_uniq_entity0_entity1_link_link_order ON l_area_event (entity0, entity1, link, link_order);
CREATE INDEX l_area_event_idx_entity1 ON l_area_event (entity1);
CREATE UNIQUE INDEX l_area_label_uniq_entity0_entity1_link_link_order ON l_area_label (entity0, entity1, link, link_order);
CREATE INDEX l_area_label_idx_entity1 ON l_area_label (entity1);
CREATE UNIQUE INDEX l_area_recording_uniq_entity0_entity1_link_link_order ON l_area_recording (entity0, entity1, link, link_order);
CREATE INDEX l_area_recording_idx_entity1 ON l_area_recording (entity1);
CREATE UNIQUE INDEX l_area_release_uniq_entity0_entity1_link_link_order ON l_area_release (entity0, entity1, link, link_order);
CREATE INDEX l_area_release_idx_entity1 ON l_area_release (entity1);
CREATE UNIQUE INDEX l_area_series_uniq_entity0_entity1_link_link_order ON l_area_series (entity0, entity1, link, link_order);
CREATE INDEX l_area_series_idx_entity1 ON l_area_series (entity1);
CREATE UNIQUE INDEX l_area_url_uniq_entity0_entity1_link_link_order ON l_area_url (entity0, entity1, link, link_order);
CREATE INDEX l_area_url_idx_entity1 ON l_area_url (entity1);
CREATE UNIQUE INDEX l_area_work_uniq_entity0_entity1_link_link_order ON l_area_work (entity0, entity1, link, link_order);
CREATE INDEX l_area_work_idx_entity1 ON l_area_work (entity1);
CREATE UNIQUE INDEX l_artist_artist_uniq_entity0_entity1_link_link_order ON l_artist_artist (entity0, entity1, link, link_order);
CREATE INDEX l_artist_artist_idx_entity1 ON l_artist_artist (entity1);
CREATE UNIQUE INDEX l_artist_event_uniq_entity0_entity1_link_link_order ON l_artist_event (entity0, entity1, link, link_order);
CREATE INDEX l_artist_event_idx_entity1 ON l_artist_event (entity1);
CREATE UNIQUE INDEX l_artist_instrument_uniq_entity0_entity1_link_link_order ON l_artist_instrument (entity0, entity1, link, link_order);
CREATE INDEX l_artist_instrument_idx_entity1 ON l_artist_instrument (entity1);
CREATE UNIQUE INDEX l_artist_label_uniq_entity0_entity1_link_link_order ON l_artist_label (entity0, entity1, link, link_order);
CREATE INDEX l_artist_label_idx_entity1 ON l_artist_label (entity1);
CREATE UNIQUE INDEX l_artist_place_uniq_entity0_entity1_link_link_order ON l_artist_place (entity0, entity1, link, link_order);
CREATE INDEX l_artist_place_idx_entity1 ON l_artist_place (entity1);
CREATE UNIQUE INDEX l_artist_recording_uniq_entity0_entity1_link_link_order ON l_artist_recording (entity0, entity1, link, link_order);
CREATE INDEX l_artist_recording_idx_entity1 ON l_artist_recording (entity1);
CREATE UNIQUE INDEX l_artist_release_uniq_entity0_entity1_link_link_order ON l_artist_release (entity0, entity1, link, link_order);
CREATE INDEX l_artist_release_idx_entity1 ON l_artist_release (entity1);
CREATE UNIQUE INDEX l_artist_release_group_uniq_entity0_entity1_link_link_order ON l_artist_release_group (entity0, entity1, link, link_order);
CREATE INDEX l_artist_release_group_idx_entity1 ON l_artist_release_group (entity1);
CREATE UNIQUE INDEX l_artist_series_uniq_entity0_entity1_link_link_order ON l_artist_series (entity0, entity1, link, link_order);
CREATE INDEX l_artist_series_idx_entity1 ON l_artist_series (entity1);
CREATE UNIQUE INDEX l_artist_url_uniq_entity0_entity1_link_link_order ON l_artist_url (entity0, entity1, link, link_order);
CREATE INDEX l_artist_url_idx_entity1 ON l_artist_url (entity1);
CREATE UNIQUE INDEX l_artist_work_uniq_entity0_entity1_link_link_order ON l_artist_work (entity0, entity1, link, link_order);
CREATE INDEX l_artist_work_idx_entity1 ON l_artist_work (entity1);
CREATE UNIQUE INDEX l_event_event_uniq_entity0_entity1_link_link_order ON l_event_event (entity0, entity1, link, link_order);
CREATE INDEX l_event_event_idx_entity1 ON l_event_event (entity1);
CREATE UNIQUE INDEX l_event_place_uniq_entity0_entity1_link_link_order ON l_event_place (entity0, entity1, link, link_order);
CREATE INDEX l_event_place_idx_entity1 ON l_event_place (entity1);
CREATE UNIQUE INDEX l_event_recording_uniq_entity0_entity1_link_link_order ON l_event_recording (entity0, entity1, link, link_order);
CREATE INDEX l_event_recording_idx_entity1 ON l_event_recording (entity1);
CREATE UNIQUE INDEX l_event_release_uniq_entity0_entity1_link_link_order ON l_event_release (entity0, entity1, link, link_order);
CREATE INDEX l_event_release_idx_entity1 ON l_event_release (entity1);
CREATE UNIQUE INDEX l_event_series_uniq_entity0_entity1_link_link_order ON l_event_series (entity0, entity1, link, link_order);
CREATE INDEX l_event_series_idx_entity1 ON l_event_series (entity1);
CREATE UNIQUE INDEX l_event_url_uniq_entity0_entity1_link_link_order ON l_event_url (entity0, entity1, link, link_order);
CREATE INDEX l_event_url_idx_entity1 ON l_event_url (entity1);
CREATE UNIQUE INDEX l_genre_genre_uniq_entity0_entity1_link_link_order ON l_genre_genre (entity0, entity1, link, link_order);
CREATE INDEX l_genre_genre_idx_entity1 ON l_genre_genre (entity1);
CREATE UNIQUE INDEX l_genre_instrument_uniq_entity0_entity1_link_link_order ON l_genre_instrument (entity0, entity1, link, link_order);
CREATE INDEX l_genre_instrument_idx_entity1 ON l_genre_instrument (entity1);
CREATE UNIQUE INDEX l_instrument_instrument_uniq_entity0_entity1_link_link_order ON l_instrument_instrument (entity0, entity1, link, link_order);
CREATE INDEX l_instrument_instrument_idx_entity1 ON l_instrument_instrument (entity1);
CREATE UNIQUE INDEX l_instrument_label_uniq_entity0_entity1_link_link_order ON l_instrument_label (entity0, entity1, link, link_order);
CREATE INDEX l_instrument_label_idx_entity1 ON l_instrument_label (entity1);
CREATE UNIQUE INDEX l_instrument_url_uniq_entity0_entity1_link_link_order ON l_instrument_url (entity0, entity1, link, link_order);
CREATE INDEX l_instrument_url_idx_entity1 ON l_instrument_url (entity1);
CREATE UNIQUE INDEX l_label_label_uniq_entity0_entity1_link_link_order ON l_label_label (entity0, entity1, link, link_order);
CREATE INDEX l_label_label_idx_entity1 ON l_label_label (entity1);
CREATE UNIQUE INDEX l_label_place_uniq_entity0_entity1_link_link_order ON l_label_place (entity0, entity1, link, link_order);
CREATE INDEX l_label_place_idx_entity1 ON l_label_place (entity1);
CREATE UNIQUE INDEX l_label_recording_uniq_entity0_entity1_link_link_order ON l_label_recording (entity0, entity1, link, link_order);
CREATE INDEX l_label_recording_idx_entity1 ON l_label_recording (entity1);
CREATE UNIQUE INDEX l_label_release_uniq_entity0_entity1_link_link_order ON l_label_release (entity0, entity1, link, link_order);
CREATE INDEX l_label_release_idx_entity1 ON l_label_release (entity1);
CREATE UNIQUE INDEX l_label_series_uniq_entity0_entity1_link_link_order ON l_label_series (entity0, entity1, link, link_order);
CREATE INDEX l_label_series_idx_entity1 ON l_label_series (entity1);
CREATE UNIQUE INDEX l_label_url_uniq_entity0_entity1_link_link_order ON l_label_url (entity0, entity1, link, link_order);
CREATE INDEX l_label_url_idx_entity1 ON l_label_url (entity1);
CREATE UNIQUE INDEX l_label_work_uniq_entity0_entity1_link_link_order ON l_label_work (entity0, entity1, link, link_order);
CREATE INDEX l_label_work_idx_entity1 ON l_label_work (entity1);
CREATE UNIQUE INDEX l_place_place_uniq_entity0_entity1_link_link_order ON l_place_place (entity0, entity1, link, link_order);
CREATE INDEX l_place_place_idx_entity1 ON l_place_place (entity1);
CREATE UNIQUE INDEX l_place_recording_uniq_entity0_entity1_link_link_order ON l_place_recording (entity0, entity1, link, link_order);
CREATE INDEX l_place_recording_idx_entity1 ON l_place_recording (entity1);
CREATE UNIQUE INDEX l_place_release_uniq_entity0_entity1_link_link_order ON l_place_release (entity0, entity1, link, link_order);
CREATE INDEX l_place_release_idx_entity1 ON l_place_release (entity1);
CREATE UNIQUE INDEX l_place_url_uniq_entity0_entity1_link_link_order ON l_place_url (entity0, entity1, link, link_order);
CREATE INDEX l_place_url_idx_entity1 ON l_place_url (entity1);
CREATE UNIQUE INDEX l_place_work_uniq_entity0_entity1_link_link_order ON l_place_work (entity0, entity1, link, link_order);
CREATE INDEX l_place_work_idx_entity1 ON l_place_work (entity1);
CREATE UNIQUE INDEX l_recording_recording_uniq_entity0_entity1_link_link_order ON l_recording_recording (entity0, entity1, link, link_order);
CREATE INDEX l_recording_recording_idx_entity1 ON l_recording_recording (entity1);
CREATE UNIQUE INDEX l_recording_release_uniq_entity0_entity1_link_link_order ON l_recording_release (entity0, entity1, link, link_order);
CREATE INDEX l_recording_release_idx_entity1 ON l_recording_release (entity1);
CREATE UNIQUE INDEX l_recording_series_uniq_entity0_entity1_link_link_order ON l_recording_series (entity0, entity1, link, link_order);
CREATE INDEX l_recording_series_idx_entity1 ON l_recording_series (entity1);
CREATE UNIQUE INDEX l_recording_url_uniq_entity0_entity1_link_link_order ON l_recording_url (entity0, entity1, link, link_order);
CREATE INDEX l_recording_url_idx_entity1 ON l_recording_url (entity1);
CREATE UNIQUE INDEX l_recording_work_uniq_entity0_entity1_link_link_order ON l_recording_work (entity0, entity1, link, link_order);
CREATE INDEX l_recording_work_idx_entity1 ON l_recording_work (entity1);
CREATE UNIQUE INDEX l_release_release_uniq_entity0_entity1_link_link_order ON l_release_release (entity0, entity1, link, link_order);
CREATE INDEX l_release_release_idx_entity1 ON l_release_release (entity1);
CREATE UNIQUE INDEX l_release_series_uniq_entity0_entity1_link_link_order ON l_release_series (entity0, entity1, link, link_order);
CREATE INDEX l_release_series_idx_entity1 ON l_release_series (entity1);
CREATE UNIQUE INDEX l_release_url_uniq_entity0_entity1_link_link_order ON l_release_url (entity0, entity1, link, link_order);
CREATE INDEX l_release_url_idx_entity1 ON l_release_url (entity1);
CREATE UNIQUE INDEX l_release_group_release_group_uniq_entity0_entity1_link_link_order ON l_release_group_release_group (entity0, entity1, link, link_order);
CREATE INDEX l_release_group_release_group_idx_entity1 ON l_release_group_release_group (entity1);
CREATE UNIQUE INDEX l_release_group_series_uniq_entity0_entity1_link_link_order ON l_release_group_series (entity0, entity1, link, link_order);
CREATE INDEX l_release_group_series_idx_entity1 ON l_release_group_series (entity1);
CREATE UNIQUE INDEX l_release_group_url_uniq_entity0_entity1_link_link_order ON l_release_group_url (entity0, entity1, link, link_order);
CREATE INDEX l_release_group_url_idx_entity1 ON l_release_group_url (entity1);
CREATE UNIQUE INDEX l_series_series_uniq_entity0_entity1_link_link_order ON l_series_series (entity0, entity1, link, link_order);
CREATE INDEX l_series_series_idx_entity1 ON l_series_series (entity1);
CREATE UNIQUE INDEX l_series_url_uniq_entity0_entity1_link_link_order ON l_series_url (entity0, entity1, link, link_order);
CREATE INDEX l_series_url_idx_entity1 ON l_series_url (entity1);
CREATE UNIQUE INDEX l_series_work_uniq_entity0_entity1_link_link_order ON l_series_work (entity0, entity1, link, link_order);
CREATE INDEX l_series_work_idx_entity1 ON l_series_work (entity1);
CREATE UNIQUE INDEX l_url_work_uniq_entity0_entity1_link_link_order ON l_url_work (entity0, entity1, link, link_order);
CREATE INDEX l_url_work_idx_entity1 ON l_url_work (entity1);
CREATE UNIQUE INDEX l_work_work_uniq_entity0_entity1_link_link_order ON l_work_work (entity0, entity1, link, link_order);
CREATE INDEX l_work_work_idx_entity1 ON l_work_work (entity1);
CREATE INDEX edit_idx_editor_id_desc ON moderation.edit (editor, id DESC);
CREATE INDEX edit_idx_expire_time ON moderation.edit (expire_time) WHERE status = 1;
CREATE UNIQUE INDEX vote_uniq_current ON moderation.vote (editor, edit) WHERE NOT superseded;
CREATE INDEX edit_area_idx_area ON moderation.edit_area (area);
CREATE INDEX edit_artist_idx_artist ON moderation.edit_artist (artist);
CREATE INDEX edit_event_idx_event ON moderation.edit_event (event);
CREATE INDEX edit_label_idx_label ON moderation.edit_label (label);
CREATE INDEX edit_recording_idx_recording ON moderation.edit_recording (recording);
CREATE INDEX edit_release_idx_release ON moderation.edit_release (release);
CREATE INDEX edit_release_group_idx_release_group ON moderation.edit_release_group (release_group);
CREATE INDEX edit_work_idx_work ON moderation.edit_work (work);
CREATE UNIQUE INDEX editor_collection_type_uniq_name ON moderation.editor_collection_type (name);
CREATE UNIQUE INDEX editor_collection_uniq_gid ON moderation.editor_collection (gid);
CREATE UNIQUE INDEX editor_subscribe_artist_uniq_editor_artist ON moderation.editor_subscribe_artist (editor, artist);
CREATE UNIQUE INDEX editor_subscribe_label_uniq_editor_label ON moderation.editor_subscribe_label (editor, label);
CREATE UNIQUE INDEX editor_subscribe_series_uniq_editor_series ON moderation.editor_subscribe_series (editor, series);
CREATE UNIQUE INDEX editor_subscribe_editor_uniq_editor_subscribed_editor ON moderation.editor_subscribe_editor (editor, subscribed_editor);
CREATE UNIQUE INDEX editor_oauth_token_uniq_access_token ON moderation.editor_oauth_token (access_token);
CREATE UNIQUE INDEX editor_oauth_token_uniq_refresh_token ON moderation.editor_oauth_token (refresh_token);
CREATE UNIQUE INDEX art_type_uniq_gid ON art_archive.art_type (gid);
CREATE INDEX release_art_idx_release ON art_archive.release_art (release);
CREATE INDEX event_art_idx_event ON art_archive.event_art (event);
CREATE UNIQUE INDEX statistic_uniq_name_date_collected ON statistics.statistic (name, date_collected);

--------------------------------------------------------------------------------
-- Foreign keys
--------------------------------------------------------------------------------

ALTER TABLE area_type ADD CONSTRAINT area_type_fk_parent FOREIGN KEY (parent) REFERENCES area_type (id);
ALTER TABLE artist_type ADD CONSTRAINT artist_type_fk_parent FOREIGN KEY (parent) REFERENCES artist_type (id);
ALTER TABLE event_type ADD CONSTRAINT event_type_fk_parent FOREIGN KEY (parent) REFERENCES event_type (id);
ALTER TABLE instrument_type ADD CONSTRAINT instrument_type_fk_parent FOREIGN KEY (parent) REFERENCES instrument_type (id);
ALTER TABLE label_type ADD CONSTRAINT label_type_fk_parent FOREIGN KEY (parent) REFERENCES label_type (id);
ALTER TABLE place_type ADD CONSTRAINT place_type_fk_parent FOREIGN KEY (parent) REFERENCES place_type (id);
ALTER TABLE release_group_primary_type ADD CONSTRAINT release_group_primary_type_fk_parent FOREIGN KEY (parent) REFERENCES release_group_primary_type (id);
ALTER TABLE release_group_secondary_type ADD CONSTRAINT release_group_secondary_type_fk_parent FOREIGN KEY (parent) REFERENCES release_group_secondary_type (id);
ALTER TABLE series_type ADD CONSTRAINT series_type_fk_parent FOREIGN KEY (parent) REFERENCES series_type (id);
ALTER TABLE work_type ADD CONSTRAINT work_type_fk_parent FOREIGN KEY (parent) REFERENCES work_type (id);
ALTER TABLE release_status ADD CONSTRAINT release_status_fk_parent FOREIGN KEY (parent) REFERENCES release_status (id);
ALTER TABLE release_packaging ADD CONSTRAINT release_packaging_fk_parent FOREIGN KEY (parent) REFERENCES release_packaging (id);
ALTER TABLE area_alias_type ADD CONSTRAINT area_alias_type_fk_parent FOREIGN KEY (parent) REFERENCES area_alias_type (id);
ALTER TABLE artist_alias_type ADD CONSTRAINT artist_alias_type_fk_parent FOREIGN KEY (parent) REFERENCES artist_alias_type (id);
ALTER TABLE event_alias_type ADD CONSTRAINT event_alias_type_fk_parent FOREIGN KEY (parent) REFERENCES event_alias_type (id);
ALTER TABLE instrument_alias_type ADD CONSTRAINT instrument_alias_type_fk_parent FOREIGN KEY (parent) REFERENCES instrument_alias_type (id);
ALTER TABLE label_alias_type ADD CONSTRAINT label_alias_type_fk_parent FOREIGN KEY (parent) REFERENCES label_alias_type (id);
ALTER TABLE place_alias_type ADD CONSTRAINT place_alias_type_fk_parent FOREIGN KEY (parent) REFERENCES place_alias_type (id);
ALTER TABLE recording_alias_type ADD CONSTRAINT recording_alias_type_fk_parent FOREIGN KEY (parent) REFERENCES recording_alias_type (id);
ALTER TABLE release_alias_type ADD CONSTRAINT release_alias_type_fk_parent FOREIGN KEY (parent) REFERENCES release_alias_type (id);
ALTER TABLE release_group_alias_type ADD CONSTRAINT release_group_alias_type_fk_parent FOREIGN KEY (parent) REFERENCES release_group_alias_type (id);
ALTER TABLE series_alias_type ADD CONSTRAINT series_alias_type_fk_parent FOREIGN KEY (parent) REFERENCES series_alias_type (id);
ALTER TABLE work_alias_type ADD CONSTRAINT work_alias_type_fk_parent FOREIGN KEY (parent) REFERENCES work_alias_type (id);
ALTER TABLE work_attribute_type ADD CONSTRAINT work_attribute_type_fk_parent FOREIGN KEY (parent) REFERENCES work_attribute_type (id);
ALTER TABLE gender ADD CONSTRAINT gender_fk_parent FOREIGN KEY (parent) REFERENCES gender (id);
ALTER TABLE medium_format ADD CONSTRAINT medium_format_fk_parent FOREIGN KEY (parent) REFERENCES medium_format (id);
ALTER TABLE moderation.editor ADD CONSTRAINT editor_fk_gender FOREIGN KEY (gender) REFERENCES gender (id);
ALTER TABLE moderation.editor ADD CONSTRAINT editor_fk_area FOREIGN KEY (area) REFERENCES area (id);
ALTER TABLE annotation ADD CONSTRAINT annotation_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE area ADD CONSTRAINT area_fk_type FOREIGN KEY (type) REFERENCES area_type (id);
ALTER TABLE area_gid_redirect ADD CONSTRAINT area_gid_redirect_fk_new_id FOREIGN KEY (new_id) REFERENCES area (id);
ALTER TABLE area_alias ADD CONSTRAINT area_alias_fk_area FOREIGN KEY (area) REFERENCES area (id);
ALTER TABLE area_alias ADD CONSTRAINT area_alias_fk_type FOREIGN KEY (type) REFERENCES area_alias_type (id);
ALTER TABLE area_annotation ADD CONSTRAINT area_annotation_fk_area FOREIGN KEY (area) REFERENCES area (id);
ALTER TABLE area_annotation ADD CONSTRAINT area_annotation_fk_annotation FOREIGN KEY (annotation) REFERENCES annotation (id);
ALTER TABLE area_tag ADD CONSTRAINT area_tag_fk_area FOREIGN KEY (area) REFERENCES area (id);
ALTER TABLE area_tag ADD CONSTRAINT area_tag_fk_tag FOREIGN KEY (tag) REFERENCES tag (id);
ALTER TABLE artist ADD CONSTRAINT artist_fk_area FOREIGN KEY (area) REFERENCES area (id);
ALTER TABLE artist ADD CONSTRAINT artist_fk_begin_area FOREIGN KEY (begin_area) REFERENCES area (id);
ALTER TABLE artist ADD CONSTRAINT artist_fk_end_area FOREIGN KEY (end_area) REFERENCES area (id);
ALTER TABLE artist ADD CONSTRAINT artist_fk_gender FOREIGN KEY (gender) REFERENCES gender (id);
ALTER TABLE artist ADD CONSTRAINT artist_fk_type FOREIGN KEY (type) REFERENCES artist_type (id);
ALTER TABLE artist_gid_redirect ADD CONSTRAINT artist_gid_redirect_fk_new_id FOREIGN KEY (new_id) REFERENCES artist (id);
ALTER TABLE artist_alias ADD CONSTRAINT artist_alias_fk_artist FOREIGN KEY (artist) REFERENCES artist (id);
ALTER TABLE artist_alias ADD CONSTRAINT artist_alias_fk_type FOREIGN KEY (type) REFERENCES artist_alias_type (id);
ALTER TABLE artist_annotation ADD CONSTRAINT artist_annotation_fk_artist FOREIGN KEY (artist) REFERENCES artist (id);
ALTER TABLE artist_annotation ADD CONSTRAINT artist_annotation_fk_annotation FOREIGN KEY (annotation) REFERENCES annotation (id);
ALTER TABLE artist_tag ADD CONSTRAINT artist_tag_fk_artist FOREIGN KEY (artist) REFERENCES artist (id);
ALTER TABLE artist_tag ADD CONSTRAINT artist_tag_fk_tag FOREIGN KEY (tag) REFERENCES tag (id);
ALTER TABLE artist_meta ADD CONSTRAINT artist_meta_fk_id FOREIGN KEY (id) REFERENCES artist (id) ON DELETE CASCADE;
ALTER TABLE moderation.artist_rating ADD CONSTRAINT artist_rating_fk_artist FOREIGN KEY (artist) REFERENCES artist (id);
ALTER TABLE moderation.artist_rating ADD CONSTRAINT artist_rating_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE event ADD CONSTRAINT event_fk_type FOREIGN KEY (type) REFERENCES event_type (id);
ALTER TABLE event_gid_redirect ADD CONSTRAINT event_gid_redirect_fk_new_id FOREIGN KEY (new_id) REFERENCES event (id);
ALTER TABLE event_alias ADD CONSTRAINT event_alias_fk_event FOREIGN KEY (event) REFERENCES event (id);
ALTER TABLE event_alias ADD CONSTRAINT event_alias_fk_type FOREIGN KEY (type) REFERENCES event_alias_type (id);
ALTER TABLE event_annotation ADD CONSTRAINT event_annotation_fk_event FOREIGN KEY (event) REFERENCES event (id);
ALTER TABLE event_annotation ADD CONSTRAINT event_annotation_fk_annotation FOREIGN KEY (annotation) REFERENCES annotation (id);
ALTER TABLE event_tag ADD CONSTRAINT event_tag_fk_event FOREIGN KEY (event) REFERENCES event (id);
ALTER TABLE event_tag ADD CONSTRAINT event_tag_fk_tag FOREIGN KEY (tag) REFERENCES tag (id);
ALTER TABLE event_meta ADD CONSTRAINT event_meta_fk_id FOREIGN KEY (id) REFERENCES event (id) ON DELETE CASCADE;
ALTER TABLE moderation.event_rating ADD CONSTRAINT event_rating_fk_event FOREIGN KEY (event) REFERENCES event (id);
ALTER TABLE moderation.event_rating ADD CONSTRAINT event_rating_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE instrument ADD CONSTRAINT instrument_fk_type FOREIGN KEY (type) REFERENCES instrument_type (id);
ALTER TABLE instrument_gid_redirect ADD CONSTRAINT instrument_gid_redirect_fk_new_id FOREIGN KEY (new_id) REFERENCES instrument (id);
ALTER TABLE instrument_alias ADD CONSTRAINT instrument_alias_fk_instrument FOREIGN KEY (instrument) REFERENCES instrument (id);
ALTER TABLE instrument_alias ADD CONSTRAINT instrument_alias_fk_type FOREIGN KEY (type) REFERENCES instrument_alias_type (id);
ALTER TABLE instrument_annotation ADD CONSTRAINT instrument_annotation_fk_instrument FOREIGN KEY (instrument) REFERENCES instrument (id);
ALTER TABLE instrument_annotation ADD CONSTRAINT instrument_annotation_fk_annotation FOREIGN KEY (annotation) REFERENCES annotation (id);
ALTER TABLE instrument_tag ADD CONSTRAINT instrument_tag_fk_instrument FOREIGN KEY (instrument) REFERENCES instrument (id);
ALTER TABLE instrument_tag ADD CONSTRAINT instrument_tag_fk_tag FOREIGN KEY (tag) REFERENCES tag (id);
ALTER TABLE label ADD CONSTRAINT label_fk_area FOREIGN KEY (area) REFERENCES area (id);
ALTER TABLE label ADD CONSTRAINT label_fk_type FOREIGN KEY (type) REFERENCES label_type (id);
ALTER TABLE label_gid_redirect ADD CONSTRAINT label_gid_redirect_fk_new_id FOREIGN KEY (new_id) REFERENCES label (id);
ALTER TABLE label_alias ADD CONSTRAINT label_alias_fk_label FOREIGN KEY (label) REFERENCES label (id);
ALTER TABLE label_alias ADD CONSTRAINT label_alias_fk_type FOREIGN KEY (type) REFERENCES label_alias_type (id);
ALTER TABLE label_annotation ADD CONSTRAINT label_annotation_fk_label FOREIGN KEY (label) REFERENCES label (id);
ALTER TABLE label_annotation ADD CONSTRAINT label_annotation_fk_annotation FOREIGN KEY (annotation) REFERENCES annotation (id);
ALTER TABLE label_tag ADD CONSTRAINT label_tag_fk_label FOREIGN KEY (label) REFERENCES label (id);
ALTER TABLE label_tag ADD CONSTRAINT label_tag_fk_tag FOREIGN KEY (tag) REFERENCES tag (id);
ALTER TABLE label_meta ADD CONSTRAINT label_meta_fk_id FOREIGN KEY (id) REFERENCES label (id) ON DELETE CASCADE;
ALTER TABLE moderation.label_rating ADD CONSTRAINT label_rating_fk_label FOREIGN KEY (label) REFERENCES label (id);
ALTER TABLE moderation.label_rating ADD CONSTRAINT label_rating_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE place ADD CONSTRAINT place_fk_area FOREIGN KEY (area) REFERENCES area (id);
ALTER TABLE place ADD CONSTRAINT place_fk_type FOREIGN KEY (type) REFERENCES place_type (id);
ALTER TABLE place_gid_redirect ADD CONSTRAINT place_gid_redirect_fk_new_id FOREIGN KEY (new_id) REFERENCES place (id);
ALTER TABLE place_alias ADD CONSTRAINT place_alias_fk_place FOREIGN KEY (place) REFERENCES place (id);
ALTER TABLE place_alias ADD CONSTRAINT place_alias_fk_type FOREIGN KEY (type) REFERENCES place_alias_type (id);
ALTER TABLE place_annotation ADD CONSTRAINT place_annotation_fk_place FOREIGN KEY (place) REFERENCES place (id);
ALTER TABLE place_annotation ADD CONSTRAINT place_annotation_fk_annotation FOREIGN KEY (annotation) REFERENCES annotation (id);
ALTER TABLE place_tag ADD CONSTRAINT place_tag_fk_place FOREIGN KEY (place) REFERENCES place (id);
ALTER TABLE place_tag ADD CONSTRAINT place_tag_fk_tag FOREIGN KEY (tag) REFERENCES tag (id);
ALTER TABLE release_group ADD CONSTRAINT release_group_fk_artist_credit FOREIGN KEY (artist_credit) REFERENCES artist_credit (id);
ALTER TABLE release_group ADD CONSTRAINT release_group_fk_type FOREIGN KEY (type) REFERENCES release_group_primary_type (id);
ALTER TABLE release_group_gid_redirect ADD CONSTRAINT release_group_gid_redirect_fk_new_id FOREIGN KEY (new_id) REFERENCES release_group (id);
ALTER TABLE release_group_alias ADD CONSTRAINT release_group_alias_fk_release_group FOREIGN KEY (release_group) REFERENCES release_group (id);
ALTER TABLE release_group_alias ADD CONSTRAINT release_group_alias_fk_type FOREIGN KEY (type) REFERENCES release_group_alias_type (id);
ALTER TABLE release_group_annotation ADD CONSTRAINT release_group_annotation_fk_release_group FOREIGN KEY (release_group) REFERENCES release_group (id);
ALTER TABLE release_group_annotation ADD CONSTRAINT release_group_annotation_fk_annotation FOREIGN KEY (annotation) REFERENCES annotation (id);
ALTER TABLE release_group_tag ADD CONSTRAINT release_group_tag_fk_release_group FOREIGN KEY (release_group) REFERENCES release_group (id);
ALTER TABLE release_group_tag ADD CONSTRAINT release_group_tag_fk_tag FOREIGN KEY (tag) REFERENCES tag (id);
ALTER TABLE release_group_meta ADD CONSTRAINT release_group_meta_fk_id FOREIGN KEY (id) REFERENCES release_group (id) ON DELETE CASCADE;
ALTER TABLE moderation.release_group_rating ADD CONSTRAINT release_group_rating_fk_release_group FOREIGN KEY (release_group) REFERENCES release_group (id);
ALTER TABLE moderation.release_group_rating ADD CONSTRAINT release_group_rating_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE release ADD CONSTRAINT release_fk_artist_credit FOREIGN KEY (artist_credit) REFERENCES artist_credit (id);
ALTER TABLE release ADD CONSTRAINT release_fk_release_group FOREIGN KEY (release_group) REFERENCES release_group (id);
ALTER TABLE release ADD CONSTRAINT release_fk_status FOREIGN KEY (status) REFERENCES release_status (id);
ALTER TABLE release ADD CONSTRAINT release_fk_packaging FOREIGN KEY (packaging) REFERENCES release_packaging (id);
ALTER TABLE release ADD CONSTRAINT release_fk_language FOREIGN KEY (language) REFERENCES language (id);
ALTER TABLE release ADD CONSTRAINT release_fk_script FOREIGN KEY (script) REFERENCES script (id);
ALTER TABLE release_gid_redirect ADD CONSTRAINT release_gid_redirect_fk_new_id FOREIGN KEY (new_id) REFERENCES release (id);
ALTER TABLE release_alias ADD CONSTRAINT release_alias_fk_release FOREIGN KEY (release) REFERENCES release (id);
ALTER TABLE release_alias ADD CONSTRAINT release_alias_fk_type FOREIGN KEY (type) REFERENCES release_alias_type (id);
ALTER TABLE release_annotation ADD CONSTRAINT release_annotation_fk_release FOREIGN KEY (release) REFERENCES release (id);
ALTER TABLE release_annotation ADD CONSTRAINT release_annotation_fk_annotation FOREIGN KEY (annotation) REFERENCES annotation (id);
ALTER TABLE release_tag ADD CONSTRAINT release_tag_fk_release FOREIGN KEY (release) REFERENCES release (id);
ALTER TABLE release_tag ADD CONSTRAINT release_tag_fk_tag FOREIGN KEY (tag) REFERENCES tag (id);
ALTER TABLE recording ADD CONSTRAINT recording_fk_artist_credit FOREIGN KEY (artist_credit) REFERENCES artist_credit (id);
ALTER TABLE recording_gid_redirect ADD CONSTRAINT recording_gid_redirect_fk_new_id FOREIGN KEY (new_id) REFERENCES recording (id);
ALTER TABLE recording_alias ADD CONSTRAINT recording_alias_fk_recording FOREIGN KEY (recording) REFERENCES recording (id);
ALTER TABLE recording_alias ADD CONSTRAINT recording_alias_fk_type FOREIGN KEY (type) REFERENCES recording_alias_type (id);
ALTER TABLE recording_annotation ADD CONSTRAINT recording_annotation_fk_recording FOREIGN KEY (recording) REFERENCES recording (id);
ALTER TABLE recording_annotation ADD CONSTRAINT recording_annotation_fk_annotation FOREIGN KEY (annotation) REFERENCES annotation (id);
ALTER TABLE recording_tag ADD CONSTRAINT recording_tag_fk_recording FOREIGN KEY (recording) REFERENCES recording (id);
ALTER TABLE recording_tag ADD CONSTRAINT recording_tag_fk_tag FOREIGN KEY (tag) REFERENCES tag (id);
ALTER TABLE recording_meta ADD CONSTRAINT recording_meta_fk_id FOREIGN KEY (id) REFERENCES recording (id) ON DELETE CASCADE;
ALTER TABLE moderation.recording_rating ADD CONSTRAINT recording_rating_fk_recording FOREIGN KEY (recording) REFERENCES recording (id);
ALTER TABLE moderation.recording_rating ADD CONSTRAINT recording_rating_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE series ADD CONSTRAINT series_fk_type FOREIGN KEY (type) REFERENCES series_type (id);
ALTER TABLE series_gid_redirect ADD CONSTRAINT series_gid_redirect_fk_new_id FOREIGN KEY (new_id) REFERENCES series (id);
ALTER TABLE series_alias ADD CONSTRAINT series_alias_fk_series FOREIGN KEY (series) REFERENCES series (id);
ALTER TABLE series_alias ADD CONSTRAINT series_alias_fk_type FOREIGN KEY (type) REFERENCES series_alias_type (id);
ALTER TABLE series_annotation ADD CONSTRAINT series_annotation_fk_series FOREIGN KEY (series) REFERENCES series (id);
ALTER TABLE series_annotation ADD CONSTRAINT series_annotation_fk_annotation FOREIGN KEY (annotation) REFERENCES annotation (id);
ALTER TABLE series_tag ADD CONSTRAINT series_tag_fk_series FOREIGN KEY (series) REFERENCES series (id);
ALTER TABLE series_tag ADD CONSTRAINT series_tag_fk_tag FOREIGN KEY (tag) REFERENCES tag (id);
ALTER TABLE work ADD CONSTRAINT work_fk_type FOREIGN KEY (type) REFERENCES work_type (id);
ALTER TABLE work_gid_redirect ADD CONSTRAINT work_gid_redirect_fk_new_id FOREIGN KEY (new_id) REFERENCES work (id);
ALTER TABLE work_alias ADD CONSTRAINT work_alias_fk_work FOREIGN KEY (work) REFERENCES work (id);
ALTER TABLE work_alias ADD CONSTRAINT work_alias_fk_type FOREIGN KEY (type) REFERENCES work_alias_type (id);
ALTER TABLE work_annotation ADD CONSTRAINT work_annotation_fk_work FOREIGN KEY (work) REFERENCES work (id);
ALTER TABLE work_annotation ADD CONSTRAINT work_annotation_fk_annotation FOREIGN KEY (annotation) REFERENCES annotation (id);
ALTER TABLE work_tag ADD CONSTRAINT work_tag_fk_work FOREIGN KEY (work) REFERENCES work (id);
ALTER TABLE work_tag ADD CONSTRAINT work_tag_fk_tag FOREIGN KEY (tag) REFERENCES tag (id);
ALTER TABLE work_meta ADD CONSTRAINT work_meta_fk_id FOREIGN KEY (id) REFERENCES work (id) ON DELETE CASCADE;
ALTER TABLE moderation.work_rating ADD CONSTRAINT work_rating_fk_work FOREIGN KEY (work) REFERENCES work (id);
ALTER TABLE moderation.work_rating ADD CONSTRAINT work_rating_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE url_gid_redirect ADD CONSTRAINT url_gid_redirect_fk_new_id FOREIGN KEY (new_id) REFERENCES url (id);
ALTER TABLE country_area ADD CONSTRAINT country_area_fk_area FOREIGN KEY (area) REFERENCES area (id);
ALTER TABLE iso_3166_1 ADD CONSTRAINT iso_3166_1_fk_area FOREIGN KEY (area) REFERENCES area (id);
ALTER TABLE iso_3166_2 ADD CONSTRAINT iso_3166_2_fk_area FOREIGN KEY (area) REFERENCES area (id);
ALTER TABLE area_containment ADD CONSTRAINT area_containment_fk_descendant FOREIGN KEY (descendant) REFERENCES area (id);
ALTER TABLE area_containment ADD CONSTRAINT area_containment_fk_parent FOREIGN KEY (parent) REFERENCES area (id);
ALTER TABLE artist_credit_name ADD CONSTRAINT artist_credit_name_fk_artist_credit FOREIGN KEY (artist_credit) REFERENCES artist_credit (id) ON DELETE CASCADE;
ALTER TABLE artist_credit_name ADD CONSTRAINT artist_credit_name_fk_artist FOREIGN KEY (artist) REFERENCES artist (id) ON DELETE CASCADE;
ALTER TABLE artist_ipi ADD CONSTRAINT artist_ipi_fk_artist FOREIGN KEY (artist) REFERENCES artist (id);
ALTER TABLE artist_isni ADD CONSTRAINT artist_isni_fk_artist FOREIGN KEY (artist) REFERENCES artist (id);
ALTER TABLE label_ipi ADD CONSTRAINT label_ipi_fk_label FOREIGN KEY (label) REFERENCES label (id);
ALTER TABLE label_isni ADD CONSTRAINT label_isni_fk_label FOREIGN KEY (label) REFERENCES label (id);
ALTER TABLE isrc ADD CONSTRAINT isrc_fk_recording FOREIGN KEY (recording) REFERENCES recording (id);
ALTER TABLE iswc ADD CONSTRAINT iswc_fk_work FOREIGN KEY (work) REFERENCES work (id);
ALTER TABLE medium ADD CONSTRAINT medium_fk_release FOREIGN KEY (release) REFERENCES release (id);
ALTER TABLE medium ADD CONSTRAINT medium_fk_format FOREIGN KEY (format) REFERENCES medium_format (id);
ALTER TABLE track ADD CONSTRAINT track_fk_recording FOREIGN KEY (recording) REFERENCES recording (id);
ALTER TABLE track ADD CONSTRAINT track_fk_medium FOREIGN KEY (medium) REFERENCES medium (id);
ALTER TABLE track ADD CONSTRAINT track_fk_artist_credit FOREIGN KEY (artist_credit) REFERENCES artist_credit (id);
ALTER TABLE track ADD CONSTRAINT track_uniq_medium_position UNIQUE (medium, position) DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE medium_cdtoc ADD CONSTRAINT medium_cdtoc_fk_medium FOREIGN KEY (medium) REFERENCES medium (id);
ALTER TABLE medium_cdtoc ADD CONSTRAINT medium_cdtoc_fk_cdtoc FOREIGN KEY (cdtoc) REFERENCES cdtoc (id);
ALTER TABLE release_country ADD CONSTRAINT release_country_fk_release FOREIGN KEY (release) REFERENCES release (id);
ALTER TABLE release_country ADD CONSTRAINT release_country_fk_country FOREIGN KEY (country) REFERENCES country_area (area);
ALTER TABLE release_unknown_country ADD CONSTRAINT release_unknown_country_fk_release FOREIGN KEY (release) REFERENCES release (id);
ALTER TABLE release_label ADD CONSTRAINT release_label_fk_release FOREIGN KEY (release) REFERENCES release (id);
ALTER TABLE release_label ADD CONSTRAINT release_label_fk_label FOREIGN KEY (label) REFERENCES label (id);
ALTER TABLE release_meta ADD CONSTRAINT release_meta_fk_id FOREIGN KEY (id) REFERENCES release (id) ON DELETE CASCADE;
ALTER TABLE release_group_secondary_type_join ADD CONSTRAINT release_group_secondary_type_join_fk_release_group FOREIGN KEY (release_group) REFERENCES release_group (id);
ALTER TABLE release_group_secondary_type_join ADD CONSTRAINT release_group_secondary_type_join_fk_secondary_type FOREIGN KEY (secondary_type) REFERENCES release_group_secondary_type (id);
ALTER TABLE work_language ADD CONSTRAINT work_language_fk_work FOREIGN KEY (work) REFERENCES work (id);
ALTER TABLE work_language ADD CONSTRAINT work_language_fk_language FOREIGN KEY (language) REFERENCES language (id);
ALTER TABLE work_attribute_type_allowed_value ADD CONSTRAINT work_attribute_type_allowed_value_fk_work_attribute_type FOREIGN KEY (work_attribute_type) REFERENCES work_attribute_type (id);
ALTER TABLE work_attribute_type_allowed_value ADD CONSTRAINT work_attribute_type_allowed_value_fk_parent FOREIGN KEY (parent) REFERENCES work_attribute_type_allowed_value (id);
ALTER TABLE work_attribute ADD CONSTRAINT work_attribute_fk_work FOREIGN KEY (work) REFERENCES work (id);
ALTER TABLE work_attribute ADD CONSTRAINT work_attribute_fk_work_attribute_type FOREIGN KEY (work_attribute_type) REFERENCES work_attribute_type (id);
ALTER TABLE work_attribute ADD CONSTRAINT work_attribute_fk_allowed_value FOREIGN KEY (allowed_value) REFERENCES work_attribute_type_allowed_value (id);
ALTER TABLE recording_similarity ADD CONSTRAINT recording_similarity_fk_recording0 FOREIGN KEY (recording0) REFERENCES recording (id) ON DELETE CASCADE;
ALTER TABLE recording_similarity ADD CONSTRAINT recording_similarity_fk_recording1 FOREIGN KEY (recording1) REFERENCES recording (id) ON DELETE CASCADE;
ALTER TABLE tag_relation ADD CONSTRAINT tag_relation_fk_tag1 FOREIGN KEY (tag1) REFERENCES tag (id);
ALTER TABLE tag_relation ADD CONSTRAINT tag_relation_fk_tag2 FOREIGN KEY (tag2) REFERENCES tag (id);
ALTER TABLE link_type ADD CONSTRAINT link_type_fk_parent FOREIGN KEY (parent) REFERENCES link_type (id);
ALTER TABLE link ADD CONSTRAINT link_fk_link_type FOREIGN KEY (link_type) REFERENCES link_type (id);
ALTER TABLE link_attribute_type ADD CONSTRAINT link_attribute_type_fk_parent FOREIGN KEY (parent) REFERENCES link_attribute_type (id);
ALTER TABLE link_attribute_type ADD CONSTRAINT link_attribute_type_fk_root FOREIGN KEY (root) REFERENCES link_attribute_type (id);
ALTER TABLE link_creditable_attribute_type ADD CONSTRAINT link_creditable_attribute_type_fk_attribute_type FOREIGN KEY (attribute_type) REFERENCES link_attribute_type (id) ON DELETE CASCADE;
ALTER TABLE link_text_attribute_type ADD CONSTRAINT link_text_attribute_type_fk_attribute_type FOREIGN KEY (attribute_type) REFERENCES link_attribute_type (id) ON DELETE CASCADE;
ALTER TABLE link_type_attribute_type ADD CONSTRAINT link_type_attribute_type_fk_link_type FOREIGN KEY (link_type) REFERENCES link_type (id);
ALTER TABLE link_type_attribute_type ADD CONSTRAINT link_type_attribute_type_fk_attribute_type FOREIGN KEY (attribute_type) REFERENCES link_attribute_type (id);
ALTER TABLE link_attribute ADD CONSTRAINT link_attribute_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE link_attribute ADD CONSTRAINT link_attribute_fk_attribute_type FOREIGN KEY (attribute_type) REFERENCES link_attribute_type (id);
ALTER TABLE link_attribute_credit ADD CONSTRAINT link_attribute_credit_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE link_attribute_credit ADD CONSTRAINT link_attribute_credit_fk_attribute_type FOREIGN KEY (attribute_type) REFERENCES link_creditable_attribute_type (attribute_type);
ALTER TABLE link_attribute_text_value ADD CONSTRAINT link_attribute_text_value_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE link_attribute_text_value ADD CONSTRAINT link_attribute_text_value_fk_attribute_type FOREIGN KEY (attribute_type) REFERENCES link_text_attribute_type (attribute_type);
ALTER TABLE l_area_area ADD CONSTRAINT l_area_area_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_area_area ADD CONSTRAINT l_area_area_fk_entity0 FOREIGN KEY (entity0) REFERENCES area (id);
ALTER TABLE l_area_area ADD CONSTRAINT l_area_area_fk_entity1 FOREIGN KEY (entity1) REFERENCES area (id);
ALTER TABLE l_area_event ADD CONSTRAINT l_area_event_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_area_event ADD CONSTRAINT l_area_event_fk_entity0 FOREIGN KEY (entity0) REFERENCES area (id);
ALTER TABLE l_area_event ADD CONSTRAINT l_area_event_fk_entity1 FOREIGN KEY (entity1) REFERENCES event (id);
ALTER TABLE l_area_label ADD CONSTRAINT l_area_label_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_area_label ADD CONSTRAINT l_area_label_fk_entity0 FOREIGN KEY (entity0) REFERENCES area (id);
ALTER TABLE l_area_label ADD CONSTRAINT l_area_label_fk_entity1 FOREIGN KEY (entity1) REFERENCES label (id);
ALTER TABLE l_area_recording ADD CONSTRAINT l_area_recording_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_area_recording ADD CONSTRAINT l_area_recording_fk_entity0 FOREIGN KEY (entity0) REFERENCES area (id);
ALTER TABLE l_area_recording ADD CONSTRAINT l_area_recording_fk_entity1 FOREIGN KEY (entity1) REFERENCES recording (id);
ALTER TABLE l_area_release ADD CONSTRAINT l_area_release_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_area_release ADD CONSTRAINT l_area_release_fk_entity0 FOREIGN KEY (entity0) REFERENCES area (id);
ALTER TABLE l_area_release ADD CONSTRAINT l_area_release_fk_entity1 FOREIGN KEY (entity1) REFERENCES release (id);
ALTER TABLE l_area_series ADD CONSTRAINT l_area_series_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_area_series ADD CONSTRAINT l_area_series_fk_entity0 FOREIGN KEY (entity0) REFERENCES area (id);
ALTER TABLE l_area_series ADD CONSTRAINT l_area_series_fk_entity1 FOREIGN KEY (entity1) REFERENCES series (id);
ALTER TABLE l_area_url ADD CONSTRAINT l_area_url_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_area_url ADD CONSTRAINT l_area_url_fk_entity0 FOREIGN KEY (entity0) REFERENCES area (id);
ALTER TABLE l_area_url ADD CONSTRAINT l_area_url_fk_entity1 FOREIGN KEY (entity1) REFERENCES url (id);
ALTER TABLE l_area_work ADD CONSTRAINT l_area_work_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_area_work ADD CONSTRAINT l_area_work_fk_entity0 FOREIGN KEY (entity0) REFERENCES area (id);
ALTER TABLE l_area_work ADD CONSTRAINT l_area_work_fk_entity1 FOREIGN KEY (entity1) REFERENCES work (id);
ALTER TABLE l_artist_artist ADD CONSTRAINT l_artist_artist_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_artist_artist ADD CONSTRAINT l_artist_artist_fk_entity0 FOREIGN KEY (entity0) REFERENCES artist (id);
ALTER TABLE l_artist_artist ADD CONSTRAINT l_artist_artist_fk_entity1 FOREIGN KEY (entity1) REFERENCES artist (id);
ALTER TABLE l_artist_event ADD CONSTRAINT l_artist_event_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_artist_event ADD CONSTRAINT l_artist_event_fk_entity0 FOREIGN KEY (entity0) REFERENCES artist (id);
ALTER TABLE l_artist_event ADD CONSTRAINT l_artist_event_fk_entity1 FOREIGN KEY (entity1) REFERENCES event (id);
ALTER TABLE l_artist_instrument ADD CONSTRAINT l_artist_instrument_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_artist_instrument ADD CONSTRAINT l_artist_instrument_fk_entity0 FOREIGN KEY (entity0) REFERENCES artist (id);
ALTER TABLE l_artist_instrument ADD CONSTRAINT l_artist_instrument_fk_entity1 FOREIGN KEY (entity1) REFERENCES instrument (id);
ALTER TABLE l_artist_label ADD CONSTRAINT l_artist_label_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_artist_label ADD CONSTRAINT l_artist_label_fk_entity0 FOREIGN KEY (entity0) REFERENCES artist (id);
ALTER TABLE l_artist_label ADD CONSTRAINT l_artist_label_fk_entity1 FOREIGN KEY (entity1) REFERENCES label (id);
ALTER TABLE l_artist_place ADD CONSTRAINT l_artist_place_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_artist_place ADD CONSTRAINT l_artist_place_fk_entity0 FOREIGN KEY (entity0) REFERENCES artist (id);
ALTER TABLE l_artist_place ADD CONSTRAINT l_artist_place_fk_entity1 FOREIGN KEY (entity1) REFERENCES place (id);
ALTER TABLE l_artist_recording ADD CONSTRAINT l_artist_recording_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_artist_recording ADD CONSTRAINT l_artist_recording_fk_entity0 FOREIGN KEY (entity0) REFERENCES artist (id);
ALTER TABLE l_artist_recording ADD CONSTRAINT l_artist_recording_fk_entity1 FOREIGN KEY (entity1) REFERENCES recording (id);
ALTER TABLE l_artist_release ADD CONSTRAINT l_artist_release_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_artist_release ADD CONSTRAINT l_artist_release_fk_entity0 FOREIGN KEY (entity0) REFERENCES artist (id);
ALTER TABLE l_artist_release ADD CONSTRAINT l_artist_release_fk_entity1 FOREIGN KEY (entity1) REFERENCES release (id);
ALTER TABLE l_artist_release_group ADD CONSTRAINT l_artist_release_group_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_artist_release_group ADD CONSTRAINT l_artist_release_group_fk_entity0 FOREIGN KEY (entity0) REFERENCES artist (id);
ALTER TABLE l_artist_release_group ADD CONSTRAINT l_artist_release_group_fk_entity1 FOREIGN KEY (entity1) REFERENCES release_group (id);
ALTER TABLE l_artist_series ADD CONSTRAINT l_artist_series_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_artist_series ADD CONSTRAINT l_artist_series_fk_entity0 FOREIGN KEY (entity0) REFERENCES artist (id);
ALTER TABLE l_artist_series ADD CONSTRAINT l_artist_series_fk_entity1 FOREIGN KEY (entity1) REFERENCES series (id);
ALTER TABLE l_artist_url ADD CONSTRAINT l_artist_url_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_artist_url ADD CONSTRAINT l_artist_url_fk_entity0 FOREIGN KEY (entity0) REFERENCES artist (id);
ALTER TABLE l_artist_url ADD CONSTRAINT l_artist_url_fk_entity1 FOREIGN KEY (entity1) REFERENCES url (id);
ALTER TABLE l_artist_work ADD CONSTRAINT l_artist_work_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_artist_work ADD CONSTRAINT l_artist_work_fk_entity0 FOREIGN KEY (entity0) REFERENCES artist (id);
ALTER TABLE l_artist_work ADD CONSTRAINT l_artist_work_fk_entity1 FOREIGN KEY (entity1) REFERENCES work (id);
ALTER TABLE l_event_event ADD CONSTRAINT l_event_event_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_event_event ADD CONSTRAINT l_event_event_fk_entity0 FOREIGN KEY (entity0) REFERENCES event (id);
ALTER TABLE l_event_event ADD CONSTRAINT l_event_event_fk_entity1 FOREIGN KEY (entity1) REFERENCES event (id);
ALTER TABLE l_event_place ADD CONSTRAINT l_event_place_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_event_place ADD CONSTRAINT l_event_place_fk_entity0 FOREIGN KEY (entity0) REFERENCES event (id);
ALTER TABLE l_event_place ADD CONSTRAINT l_event_place_fk_entity1 FOREIGN KEY (entity1) REFERENCES place (id);
ALTER TABLE l_event_recording ADD CONSTRAINT l_event_recording_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_event_recording ADD CONSTRAINT l_event_recording_fk_entity0 FOREIGN KEY (entity0) REFERENCES event (id);
ALTER TABLE l_event_recording ADD CONSTRAINT l_event_recording_fk_entity1 FOREIGN KEY (entity1) REFERENCES recording (id);
ALTER TABLE l_event_release ADD CONSTRAINT l_event_release_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_event_release ADD CONSTRAINT l_event_release_fk_entity0 FOREIGN KEY (entity0) REFERENCES event (id);
ALTER TABLE l_event_release ADD CONSTRAINT l_event_release_fk_entity1 FOREIGN KEY (entity1) REFERENCES release (id);
ALTER TABLE l_event_series ADD CONSTRAINT l_event_series_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_event_series ADD CONSTRAINT l_event_series_fk_entity0 FOREIGN KEY (entity0) REFERENCES event (id);
ALTER TABLE l_event_series ADD CONSTRAINT l_event_series_fk_entity1 FOREIGN KEY (entity1) REFERENCES series (id);
ALTER TABLE l_event_url ADD CONSTRAINT l_event_url_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_event_url ADD CONSTRAINT l_event_url_fk_entity0 FOREIGN KEY (entity0) REFERENCES event (id);
ALTER TABLE l_event_url ADD CONSTRAINT l_event_url_fk_entity1 FOREIGN KEY (entity1) REFERENCES url (id);
ALTER TABLE l_genre_genre ADD CONSTRAINT l_genre_genre_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_genre_genre ADD CONSTRAINT l_genre_genre_fk_entity0 FOREIGN KEY (entity0) REFERENCES genre (id);
ALTER TABLE l_genre_genre ADD CONSTRAINT l_genre_genre_fk_entity1 FOREIGN KEY (entity1) REFERENCES genre (id);
ALTER TABLE l_genre_instrument ADD CONSTRAINT l_genre_instrument_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_genre_instrument ADD CONSTRAINT l_genre_instrument_fk_entity0 FOREIGN KEY (entity0) REFERENCES genre (id);
ALTER TABLE l_genre_instrument ADD CONSTRAINT l_genre_instrument_fk_entity1 FOREIGN KEY (entity1) REFERENCES instrument (id);
ALTER TABLE l_instrument_instrument ADD CONSTRAINT l_instrument_instrument_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_instrument_instrument ADD CONSTRAINT l_instrument_instrument_fk_entity0 FOREIGN KEY (entity0) REFERENCES instrument (id);
ALTER TABLE l_instrument_instrument ADD CONSTRAINT l_instrument_instrument_fk_entity1 FOREIGN KEY (entity1) REFERENCES instrument (id);
ALTER TABLE l_instrument_label ADD CONSTRAINT l_instrument_label_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_instrument_label ADD CONSTRAINT l_instrument_label_fk_entity0 FOREIGN KEY (entity0) REFERENCES instrument (id);
ALTER TABLE l_instrument_label ADD CONSTRAINT l_instrument_label_fk_entity1 FOREIGN KEY (entity1) REFERENCES label (id);
ALTER TABLE l_instrument_url ADD CONSTRAINT l_instrument_url_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_instrument_url ADD CONSTRAINT l_instrument_url_fk_entity0 FOREIGN KEY (entity0) REFERENCES instrument (id);
ALTER TABLE l_instrument_url ADD CONSTRAINT l_instrument_url_fk_entity1 FOREIGN KEY (entity1) REFERENCES url (id);
ALTER TABLE l_label_label ADD CONSTRAINT l_label_label_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_label_label ADD CONSTRAINT l_label_label_fk_entity0 FOREIGN KEY (entity0) REFERENCES label (id);
ALTER TABLE l_label_label ADD CONSTRAINT l_label_label_fk_entity1 FOREIGN KEY (entity1) REFERENCES label (id);
ALTER TABLE l_label_place ADD CONSTRAINT l_label_place_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_label_place ADD CONSTRAINT l_label_place_fk_entity0 FOREIGN KEY (entity0) REFERENCES label (id);
ALTER TABLE l_label_place ADD CONSTRAINT l_label_place_fk_entity1 FOREIGN KEY (entity1) REFERENCES place (id);
ALTER TABLE l_label_recording ADD CONSTRAINT l_label_recording_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_label_recording ADD CONSTRAINT l_label_recording_fk_entity0 FOREIGN KEY (entity0) REFERENCES label (id);
ALTER TABLE l_label_recording ADD CONSTRAINT l_label_recording_fk_entity1 FOREIGN KEY (entity1) REFERENCES recording (id);
ALTER TABLE l_label_release ADD CONSTRAINT l_label_release_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_label_release ADD CONSTRAINT l_label_release_fk_entity0 FOREIGN KEY (entity0) REFERENCES label (id);
ALTER TABLE l_label_release ADD CONSTRAINT l_label_release_fk_entity1 FOREIGN KEY (entity1) REFERENCES release (id);
ALTER TABLE l_label_series ADD CONSTRAINT l_label_series_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_label_series ADD CONSTRAINT l_label_series_fk_entity0 FOREIGN KEY (entity0) REFERENCES label (id);
ALTER TABLE l_label_series ADD CONSTRAINT l_label_series_fk_entity1 FOREIGN KEY (entity1) REFERENCES series (id);
ALTER TABLE l_label_url ADD CONSTRAINT l_label_url_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_label_url ADD CONSTRAINT l_label_url_fk_entity0 FOREIGN KEY (entity0) REFERENCES label (id);
ALTER TABLE l_label_url ADD CONSTRAINT l_label_url_fk_entity1 FOREIGN KEY (entity1) REFERENCES url (id);
ALTER TABLE l_label_work ADD CONSTRAINT l_label_work_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_label_work ADD CONSTRAINT l_label_work_fk_entity0 FOREIGN KEY (entity0) REFERENCES label (id);
ALTER TABLE l_label_work ADD CONSTRAINT l_label_work_fk_entity1 FOREIGN KEY (entity1) REFERENCES work (id);
ALTER TABLE l_place_place ADD CONSTRAINT l_place_place_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_place_place ADD CONSTRAINT l_place_place_fk_entity0 FOREIGN KEY (entity0) REFERENCES place (id);
ALTER TABLE l_place_place ADD CONSTRAINT l_place_place_fk_entity1 FOREIGN KEY (entity1) REFERENCES place (id);
ALTER TABLE l_place_recording ADD CONSTRAINT l_place_recording_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_place_recording ADD CONSTRAINT l_place_recording_fk_entity0 FOREIGN KEY (entity0) REFERENCES place (id);
ALTER TABLE l_place_recording ADD CONSTRAINT l_place_recording_fk_entity1 FOREIGN KEY (entity1) REFERENCES recording (id);
ALTER TABLE l_place_release ADD CONSTRAINT l_place_release_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_place_release ADD CONSTRAINT l_place_release_fk_entity0 FOREIGN KEY (entity0) REFERENCES place (id);
ALTER TABLE l_place_release ADD CONSTRAINT l_place_release_fk_entity1 FOREIGN KEY (entity1) REFERENCES release (id);
ALTER TABLE l_place_url ADD CONSTRAINT l_place_url_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_place_url ADD CONSTRAINT l_place_url_fk_entity0 FOREIGN KEY (entity0) REFERENCES place (id);
ALTER TABLE l_place_url ADD CONSTRAINT l_place_url_fk_entity1 FOREIGN KEY (entity1) REFERENCES url (id);
ALTER TABLE l_place_work ADD CONSTRAINT l_place_work_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_place_work ADD CONSTRAINT l_place_work_fk_entity0 FOREIGN KEY (entity0) REFERENCES place (id);
ALTER TABLE l_place_work ADD CONSTRAINT l_place_work_fk_entity1 FOREIGN KEY (entity1) REFERENCES work (id);
ALTER TABLE l_recording_recording ADD CONSTRAINT l_recording_recording_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_recording_recording ADD CONSTRAINT l_recording_recording_fk_entity0 FOREIGN KEY (entity0) REFERENCES recording (id);
ALTER TABLE l_recording_recording ADD CONSTRAINT l_recording_recording_fk_entity1 FOREIGN KEY (entity1) REFERENCES recording (id);
ALTER TABLE l_recording_release ADD CONSTRAINT l_recording_release_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_recording_release ADD CONSTRAINT l_recording_release_fk_entity0 FOREIGN KEY (entity0) REFERENCES recording (id);
ALTER TABLE l_recording_release ADD CONSTRAINT l_recording_release_fk_entity1 FOREIGN KEY (entity1) REFERENCES release (id);
ALTER TABLE l_recording_series ADD CONSTRAINT l_recording_series_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_recording_series ADD CONSTRAINT l_recording_series_fk_entity0 FOREIGN KEY (entity0) REFERENCES recording (id);
ALTER TABLE l_recording_series ADD CONSTRAINT l_recording_series_fk_entity1 FOREIGN KEY (entity1) REFERENCES series (id);
ALTER TABLE l_recording_url ADD CONSTRAINT l_recording_url_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_recording_url ADD CONSTRAINT l_recording_url_fk_entity0 FOREIGN KEY (entity0) REFERENCES recording (id);
ALTER TABLE l_recording_url ADD CONSTRAINT l_recording_url_fk_entity1 FOREIGN KEY (entity1) REFERENCES url (id);
ALTER TABLE l_recording_work ADD CONSTRAINT l_recording_work_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_recording_work ADD CONSTRAINT l_recording_work_fk_entity0 FOREIGN KEY (entity0) REFERENCES recording (id);
ALTER TABLE l_recording_work ADD CONSTRAINT l_recording_work_fk_entity1 FOREIGN KEY (entity1) REFERENCES work (id);
ALTER TABLE l_release_release ADD CONSTRAINT l_release_release_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_release_release ADD CONSTRAINT l_release_release_fk_entity0 FOREIGN KEY (entity0) REFERENCES release (id);
ALTER TABLE l_release_release ADD CONSTRAINT l_release_release_fk_entity1 FOREIGN KEY (entity1) REFERENCES release (id);
ALTER TABLE l_release_series ADD CONSTRAINT l_release_series_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_release_series ADD CONSTRAINT l_release_series_fk_entity0 FOREIGN KEY (entity0) REFERENCES release (id);
ALTER TABLE l_release_series ADD CONSTRAINT l_release_series_fk_entity1 FOREIGN KEY (entity1) REFERENCES series (id);
ALTER TABLE l_release_url ADD CONSTRAINT l_release_url_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_release_url ADD CONSTRAINT l_release_url_fk_entity0 FOREIGN KEY (entity0) REFERENCES release (id);
ALTER TABLE l_release_url ADD CONSTRAINT l_release_url_fk_entity1 FOREIGN KEY (entity1) REFERENCES url (id);
ALTER TABLE l_release_group_release_group ADD CONSTRAINT l_release_group_release_group_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_release_group_release_group ADD CONSTRAINT l_release_group_release_group_fk_entity0 FOREIGN KEY (entity0) REFERENCES release_group (id);
ALTER TABLE l_release_group_release_group ADD CONSTRAINT l_release_group_release_group_fk_entity1 FOREIGN KEY (entity1) REFERENCES release_group (id);
ALTER TABLE l_release_group_series ADD CONSTRAINT l_release_group_series_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_release_group_series ADD CONSTRAINT l_release_group_series_fk_entity0 FOREIGN KEY (entity0) REFERENCES release_group (id);
ALTER TABLE l_release_group_series ADD CONSTRAINT l_release_group_series_fk_entity1 FOREIGN KEY (entity1) REFERENCES series (id);
ALTER TABLE l_release_group_url ADD CONSTRAINT l_release_group_url_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_release_group_url ADD CONSTRAINT l_release_group_url_fk_entity0 FOREIGN KEY (entity0) REFERENCES release_group (id);
ALTER TABLE l_release_group_url ADD CONSTRAINT l_release_group_url_fk_entity1 FOREIGN KEY (entity1) REFERENCES url (id);
ALTER TABLE l_series_series ADD CONSTRAINT l_series_series_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_series_series ADD CONSTRAINT l_series_series_fk_entity0 FOREIGN KEY (entity0) REFERENCES series (id);
ALTER TABLE l_series_series ADD CONSTRAINT l_series_series_fk_entity1 FOREIGN KEY (entity1) REFERENCES series (id);
ALTER TABLE l_series_url ADD CONSTRAINT l_series_url_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_series_url ADD CONSTRAINT l_series_url_fk_entity0 FOREIGN KEY (entity0) REFERENCES series (id);
ALTER TABLE l_series_url ADD CONSTRAINT l_series_url_fk_entity1 FOREIGN KEY (entity1) REFERENCES url (id);
ALTER TABLE l_series_work ADD CONSTRAINT l_series_work_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_series_work ADD CONSTRAINT l_series_work_fk_entity0 FOREIGN KEY (entity0) REFERENCES series (id);
ALTER TABLE l_series_work ADD CONSTRAINT l_series_work_fk_entity1 FOREIGN KEY (entity1) REFERENCES work (id);
ALTER TABLE l_url_work ADD CONSTRAINT l_url_work_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_url_work ADD CONSTRAINT l_url_work_fk_entity0 FOREIGN KEY (entity0) REFERENCES url (id);
ALTER TABLE l_url_work ADD CONSTRAINT l_url_work_fk_entity1 FOREIGN KEY (entity1) REFERENCES work (id);
ALTER TABLE l_work_work ADD CONSTRAINT l_work_work_fk_link FOREIGN KEY (link) REFERENCES link (id);
ALTER TABLE l_work_work ADD CONSTRAINT l_work_work_fk_entity0 FOREIGN KEY (entity0) REFERENCES work (id);
ALTER TABLE l_work_work ADD CONSTRAINT l_work_work_fk_entity1 FOREIGN KEY (entity1) REFERENCES work (id);
ALTER TABLE moderation.edit ADD CONSTRAINT edit_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE moderation.edit ADD CONSTRAINT edit_fk_language FOREIGN KEY (language) REFERENCES language (id);
ALTER TABLE moderation.edit_data ADD CONSTRAINT edit_data_fk_edit FOREIGN KEY (edit) REFERENCES moderation.edit (id);
ALTER TABLE moderation.vote ADD CONSTRAINT vote_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE moderation.vote ADD CONSTRAINT vote_fk_edit FOREIGN KEY (edit) REFERENCES moderation.edit (id);
ALTER TABLE moderation.edit_note ADD CONSTRAINT edit_note_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE moderation.edit_note ADD CONSTRAINT edit_note_fk_edit FOREIGN KEY (edit) REFERENCES moderation.edit (id);
ALTER TABLE moderation.edit_area ADD CONSTRAINT edit_area_fk_edit FOREIGN KEY (edit) REFERENCES moderation.edit (id);
ALTER TABLE moderation.edit_area ADD CONSTRAINT edit_area_fk_area FOREIGN KEY (area) REFERENCES area (id) ON DELETE CASCADE;
ALTER TABLE moderation.edit_artist ADD CONSTRAINT edit_artist_fk_edit FOREIGN KEY (edit) REFERENCES moderation.edit (id);
ALTER TABLE moderation.edit_artist ADD CONSTRAINT edit_artist_fk_artist FOREIGN KEY (artist) REFERENCES artist (id) ON DELETE CASCADE;
ALTER TABLE moderation.edit_event ADD CONSTRAINT edit_event_fk_edit FOREIGN KEY (edit) REFERENCES moderation.edit (id);
ALTER TABLE moderation.edit_event ADD CONSTRAINT edit_event_fk_event FOREIGN KEY (event) REFERENCES event (id) ON DELETE CASCADE;
ALTER TABLE moderation.edit_label ADD CONSTRAINT edit_label_fk_edit FOREIGN KEY (edit) REFERENCES moderation.edit (id);
ALTER TABLE moderation.edit_label ADD CONSTRAINT edit_label_fk_label FOREIGN KEY (label) REFERENCES label (id) ON DELETE CASCADE;
ALTER TABLE moderation.edit_recording ADD CONSTRAINT edit_recording_fk_edit FOREIGN KEY (edit) REFERENCES moderation.edit (id);
ALTER TABLE moderation.edit_recording ADD CONSTRAINT edit_recording_fk_recording FOREIGN KEY (recording) REFERENCES recording (id) ON DELETE CASCADE;
ALTER TABLE moderation.edit_release ADD CONSTRAINT edit_release_fk_edit FOREIGN KEY (edit) REFERENCES moderation.edit (id);
ALTER TABLE moderation.edit_release ADD CONSTRAINT edit_release_fk_release FOREIGN KEY (release) REFERENCES release (id) ON DELETE CASCADE;
ALTER TABLE moderation.edit_release_group ADD CONSTRAINT edit_release_group_fk_edit FOREIGN KEY (edit) REFERENCES moderation.edit (id);
ALTER TABLE moderation.edit_release_group ADD CONSTRAINT edit_release_group_fk_release_group FOREIGN KEY (release_group) REFERENCES release_group (id) ON DELETE CASCADE;
ALTER TABLE moderation.edit_work ADD CONSTRAINT edit_work_fk_edit FOREIGN KEY (edit) REFERENCES moderation.edit (id);
ALTER TABLE moderation.edit_work ADD CONSTRAINT edit_work_fk_work FOREIGN KEY (work) REFERENCES work (id) ON DELETE CASCADE;
ALTER TABLE moderation.editor_collection ADD CONSTRAINT editor_collection_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE moderation.editor_collection ADD CONSTRAINT editor_collection_fk_type FOREIGN KEY (type) REFERENCES moderation.editor_collection_type (id);
ALTER TABLE moderation.editor_collection_artist ADD CONSTRAINT editor_collection_artist_fk_collection FOREIGN KEY (collection) REFERENCES moderation.editor_collection (id);
ALTER TABLE moderation.editor_collection_artist ADD CONSTRAINT editor_collection_artist_fk_artist FOREIGN KEY (artist) REFERENCES artist (id);
ALTER TABLE moderation.editor_collection_event ADD CONSTRAINT editor_collection_event_fk_collection FOREIGN KEY (collection) REFERENCES moderation.editor_collection (id);
ALTER TABLE moderation.editor_collection_event ADD CONSTRAINT editor_collection_event_fk_event FOREIGN KEY (event) REFERENCES event (id);
ALTER TABLE moderation.editor_collection_label ADD CONSTRAINT editor_collection_label_fk_collection FOREIGN KEY (collection) REFERENCES moderation.editor_collection (id);
ALTER TABLE moderation.editor_collection_label ADD CONSTRAINT editor_collection_label_fk_label FOREIGN KEY (label) REFERENCES label (id);
ALTER TABLE moderation.editor_collection_release ADD CONSTRAINT editor_collection_release_fk_collection FOREIGN KEY (collection) REFERENCES moderation.editor_collection (id);
ALTER TABLE moderation.editor_collection_release ADD CONSTRAINT editor_collection_release_fk_release FOREIGN KEY (release) REFERENCES release (id);
ALTER TABLE moderation.editor_collection_work ADD CONSTRAINT editor_collection_work_fk_collection FOREIGN KEY (collection) REFERENCES moderation.editor_collection (id);
ALTER TABLE moderation.editor_collection_work ADD CONSTRAINT editor_collection_work_fk_work FOREIGN KEY (work) REFERENCES work (id);
ALTER TABLE moderation.editor_subscribe_artist ADD CONSTRAINT editor_subscribe_artist_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE moderation.editor_subscribe_artist ADD CONSTRAINT editor_subscribe_artist_fk_artist FOREIGN KEY (artist) REFERENCES artist (id);
ALTER TABLE moderation.editor_subscribe_artist ADD CONSTRAINT editor_subscribe_artist_fk_last_edit_sent FOREIGN KEY (last_edit_sent) REFERENCES moderation.edit (id);
ALTER TABLE moderation.editor_subscribe_label ADD CONSTRAINT editor_subscribe_label_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE moderation.editor_subscribe_label ADD CONSTRAINT editor_subscribe_label_fk_label FOREIGN KEY (label) REFERENCES label (id);
ALTER TABLE moderation.editor_subscribe_label ADD CONSTRAINT editor_subscribe_label_fk_last_edit_sent FOREIGN KEY (last_edit_sent) REFERENCES moderation.edit (id);
ALTER TABLE moderation.editor_subscribe_series ADD CONSTRAINT editor_subscribe_series_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE moderation.editor_subscribe_series ADD CONSTRAINT editor_subscribe_series_fk_series FOREIGN KEY (series) REFERENCES series (id);
ALTER TABLE moderation.editor_subscribe_series ADD CONSTRAINT editor_subscribe_series_fk_last_edit_sent FOREIGN KEY (last_edit_sent) REFERENCES moderation.edit (id);
ALTER TABLE moderation.editor_subscribe_editor ADD CONSTRAINT editor_subscribe_editor_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE moderation.editor_subscribe_editor ADD CONSTRAINT editor_subscribe_editor_fk_subscribed_editor FOREIGN KEY (subscribed_editor) REFERENCES moderation.editor (id);
ALTER TABLE moderation.editor_preference ADD CONSTRAINT editor_preference_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE moderation.editor_oauth_token ADD CONSTRAINT editor_oauth_token_fk_editor FOREIGN KEY (editor) REFERENCES moderation.editor (id);
ALTER TABLE art_archive.art_type ADD CONSTRAINT art_type_fk_parent FOREIGN KEY (parent) REFERENCES art_archive.art_type (id);
ALTER TABLE art_archive.release_art ADD CONSTRAINT release_art_fk_release FOREIGN KEY (release) REFERENCES release (id) ON DELETE CASCADE;
ALTER TABLE art_archive.release_art ADD CONSTRAINT release_art_fk_edit FOREIGN KEY (edit) REFERENCES moderation.edit (id);
ALTER TABLE art_archive.release_art ADD CONSTRAINT release_art_fk_mime_type FOREIGN KEY (mime_type) REFERENCES art_archive.image_type (mime_type);
ALTER TABLE art_archive.release_art_type ADD CONSTRAINT release_art_type_fk_id FOREIGN KEY (id) REFERENCES art_archive.release_art (id) ON DELETE CASCADE;
ALTER TABLE art_archive.release_art_type ADD CONSTRAINT release_art_type_fk_type_id FOREIGN KEY (type_id) REFERENCES art_archive.art_type (id);
ALTER TABLE art_archive.event_art ADD CONSTRAINT event_art_fk_event FOREIGN KEY (event) REFERENCES event (id) ON DELETE CASCADE;
ALTER TABLE art_archive.event_art ADD CONSTRAINT event_art_fk_edit FOREIGN KEY (edit) REFERENCES moderation.edit (id);
ALTER TABLE art_archive.event_art ADD CONSTRAINT event_art_fk_mime_type FOREIGN KEY (mime_type) REFERENCES art_archive.image_type (mime_type);
ALTER TABLE art_archive.event_art_type ADD CONSTRAINT event_art_type_fk_id FOREIGN KEY (id) REFERENCES art_archive.event_art (id) ON DELETE CASCADE;
ALTER TABLE art_archive.event_art_type ADD CONSTRAINT event_art_type_fk_type_id FOREIGN KEY (type_id) REFERENCES art_archive.art_type (id);
ALTER TABLE art_archive.release_group_cover ADD CONSTRAINT release_group_cover_fk_release_group FOREIGN KEY (release_group) REFERENCES release_group (id);
ALTER TABLE art_archive.release_group_cover ADD CONSTRAINT release_group_cover_fk_release FOREIGN KEY (release) REFERENCES release (id);

--------------------------------------------------------------------------------
-- Triggers
--------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION stamp_last_updated() RETURNS trigger AS $$
BEGIN
  NEW.last_updated = now();
  RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE OR REPLACE FUNCTION close_when_end_known() RETURNS trigger AS $$
BEGIN
  IF num_nonnulls(NEW.end_date_year, NEW.end_date_month, NEW.end_date_day) > 0 THEN
    NEW.ended = TRUE;
  END IF;
  RETURN NEW;
END;
$$ LANGUAGE plpgsql;

-- Every recording and every release has exactly one row of metadata.
CREATE OR REPLACE FUNCTION create_meta_row() RETURNS trigger AS $$
BEGIN
  EXECUTE format('INSERT INTO %I (id) VALUES ($1)', TG_TABLE_NAME || '_meta') USING NEW.id;
  RETURN NULL;
END;
$$ LANGUAGE plpgsql;

CREATE OR REPLACE FUNCTION count_tracks() RETURNS trigger AS $$
BEGIN
  IF TG_OP IN ('INSERT', 'UPDATE') THEN
    UPDATE medium SET track_count = track_count + 1 WHERE id = NEW.medium;
  END IF;
  IF TG_OP IN ('DELETE', 'UPDATE') THEN
    UPDATE medium SET track_count = track_count - 1 WHERE id = OLD.medium;
  END IF;
  RETURN NULL;
END;
$$ LANGUAGE plpgsql;

CREATE OR REPLACE FUNCTION moderation.reject_own_vote() RETURNS trigger AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM moderation.edit WHERE id = NEW.edit AND editor = NEW.editor) THEN
    RAISE EXCEPTION 'editor % may not vote on edit %', NEW.editor, NEW.edit;
  END IF;
  RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER area_stamp BEFORE UPDATE ON area FOR EACH ROW EXECUTE PROCEDURE stamp_last_updated();
CREATE TRIGGER artist_stamp BEFORE UPDATE ON artist FOR EACH ROW EXECUTE PROCEDURE stamp_last_updated();
CREATE TRIGGER event_stamp BEFORE UPDATE ON event FOR EACH ROW EXECUTE PROCEDURE stamp_last_updated();
CREATE TRIGGER label_stamp BEFORE UPDATE ON label FOR EACH ROW EXECUTE PROCEDURE stamp_last_updated();
CREATE TRIGGER place_stamp BEFORE UPDATE ON place FOR EACH ROW EXECUTE PROCEDURE stamp_last_updated();
CREATE TRIGGER recording_stamp BEFORE UPDATE ON recording FOR EACH ROW EXECUTE PROCEDURE stamp_last_updated();
CREATE TRIGGER release_stamp BEFORE UPDATE ON release FOR EACH ROW EXECUTE PROCEDURE stamp_last_updated();
CREATE TRIGGER release_group_stamp BEFORE UPDATE ON release_group FOR EACH ROW EXECUTE PROCEDURE stamp_last_updated();
CREATE TRIGGER work_stamp BEFORE UPDATE ON work FOR EACH ROW EXECUTE PROCEDURE stamp_last_updated();
CREATE TRIGGER medium_stamp BEFORE UPDATE ON medium FOR EACH ROW EXECUTE PROCEDURE stamp_last_updated();
CREATE TRIGGER track_stamp BEFORE UPDATE ON track FOR EACH ROW EXECUTE PROCEDURE stamp_last_updated();
CREATE TRIGGER link_close_when_end_known BEFORE INSERT OR UPDATE ON link FOR EACH ROW EXECUTE PROCEDURE close_when_end_known();
CREATE TRIGGER area_alias_close_when_end_known BEFORE INSERT OR UPDATE ON area_alias FOR EACH ROW EXECUTE PROCEDURE close_when_end_known();
CREATE TRIGGER artist_alias_close_when_end_known BEFORE INSERT OR UPDATE ON artist_alias FOR EACH ROW EXECUTE PROCEDURE close_when_end_known();
CREATE TRIGGER recording_meta_row AFTER INSERT ON recording FOR EACH ROW EXECUTE PROCEDURE create_meta_row();
CREATE TRIGGER release_meta_row AFTER INSERT ON release FOR EACH ROW EXECUTE PROCEDURE create_meta_row();
CREATE TRIGGER track_counted AFTER INSERT OR DELETE OR UPDATE OF medium ON track FOR EACH ROW EXECUTE PROCEDURE count_tracks();
CREATE TRIGGER vote_not_own BEFORE INSERT ON moderation.vote FOR EACH ROW EXECUTE PROCEDURE moderation.reject_own_vote();

--------------------------------------------------------------------------------
-- Rows that the application counts on
--------------------------------------------------------------------------------

INSERT INTO artist_type (id, gid, name, child_order) VALUES
  (1, 'a5b1a4ce-7f7a-4f6e-9d43-0f3ad19a6a01', 'Person', 1),
  (2, 'a5b1a4ce-7f7a-4f6e-9d43-0f3ad19a6a02', 'Group', 2),
  (3, 'a5b1a4ce-7f7a-4f6e-9d43-0f3ad19a6a03', 'Other', 99),
  (4, 'a5b1a4ce-7f7a-4f6e-9d43-0f3ad19a6a04', 'Character', 3),
  (5, 'a5b1a4ce-7f7a-4f6e-9d43-0f3ad19a6a05', 'Orchestra', 4),
  (6, 'a5b1a4ce-7f7a-4f6e-9d43-0f3ad19a6a06', 'Choir', 5);
SELECT setval('artist_type_id_seq', 6);

INSERT INTO art_archive.image_type (mime_type, suffix) VALUES
  ('image/jpeg', 'jpg'), ('image/png', 'png'), ('application/pdf', 'pdf');

COMMIT;
