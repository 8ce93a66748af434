BEGIN;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 3f1c0d9a7b21

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TYPE org_kind AS ENUM ('hospital', 'clinic', 'laboratory', 'pharmacy');

CREATE TABLE organisations (
    id UUID DEFAULT gen_random_uuid() NOT NULL, 
    parent_id UUID, 
    name VARCHAR(200) NOT NULL, 
    slug VARCHAR(80) NOT NULL, 
    kind org_kind NOT NULL, 
    tax_number VARCHAR(15), 
    config JSONB DEFAULT '{}'::jsonb NOT NULL, 
    active BOOLEAN DEFAULT true NOT NULL, 
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, 
    updated_at TIMESTAMP WITH TIME ZONE, 
    CONSTRAINT pk_organisations PRIMARY KEY (id), 
    CONSTRAINT fk_organisations_parent_id_organisations FOREIGN KEY(parent_id) REFERENCES organisations (id) ON DELETE SET NULL, 
    CONSTRAINT uq_organisations_slug UNIQUE (slug), 
    CONSTRAINT ck_organisations_not_own_parent CHECK (parent_id IS DISTINCT FROM id), 
    CONSTRAINT ck_organisations_tax_number CHECK (tax_number ~ '^[A-Z]{2}[0-9A-Z]{2,13}$'), 
    CONSTRAINT ck_organisations_slug_lower CHECK (slug = lower(slug) AND slug !~ '\s')
);

CREATE INDEX ix_organisations_parent_id ON organisations (parent_id);

CREATE TABLE sites (
    organisation_id UUID NOT NULL, 
    site_no SMALLINT NOT NULL, 
    name VARCHAR(120) NOT NULL, 
    timezone VARCHAR(64) DEFAULT 'UTC' NOT NULL, 
    opened_on DATE NOT NULL, 
    closed_on DATE, 
    latitude NUMERIC(9, 6), 
    longitude NUMERIC(9, 6), 
    phone_numbers VARCHAR(20)[] DEFAULT '{}' NOT NULL, 
    CONSTRAINT pk_sites PRIMARY KEY (organisation_id, site_no), 
    CONSTRAINT fk_sites_organisation_id_organisations FOREIGN KEY(organisation_id) REFERENCES organisations (id) ON DELETE CASCADE, 
    CONSTRAINT ck_sites_site_no CHECK (site_no BETWEEN 1 AND 999), 
    CONSTRAINT ck_sites_closed_after_opened CHECK (closed_on IS NULL OR closed_on > opened_on), 
    CONSTRAINT ck_sites_coordinates CHECK ((latitude IS NULL) = (longitude IS NULL) AND abs(latitude) <= 90 AND abs(longitude) <= 180)
);

INSERT INTO alembic_version (version_num) VALUES ('3f1c0d9a7b21') RETURNING alembic_version.version_num;

-- Running upgrade 3f1c0d9a7b21 -> 8a2be4c17d05

CREATE TABLE roles (
    id SERIAL NOT NULL, 
    name VARCHAR(50) NOT NULL, 
    permissions VARCHAR(64)[] DEFAULT ARRAY[]::varchar[] NOT NULL, 
    CONSTRAINT pk_roles PRIMARY KEY (id), 
    CONSTRAINT uq_roles_name UNIQUE (name)
);

CREATE TABLE users (
    id UUID DEFAULT gen_random_uuid() NOT NULL, 
    email VARCHAR(320) NOT NULL, 
    hashed_password VARCHAR(1024) NOT NULL, 
    is_active BOOLEAN NOT NULL, 
    is_superuser BOOLEAN NOT NULL, 
    is_verified BOOLEAN NOT NULL, 
    given_name VARCHAR(80) NOT NULL, 
    family_name VARCHAR(80) NOT NULL, 
    display_name VARCHAR(161) GENERATED ALWAYS AS (given_name || ' ' || family_name) STORED, 
    manager_id UUID, 
    last_seen_at TIMESTAMP WITH TIME ZONE, 
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, 
    CONSTRAINT pk_users PRIMARY KEY (id), 
    CONSTRAINT fk_users_manager_id_users FOREIGN KEY(manager_id) REFERENCES users (id), 
    CONSTRAINT ck_users_email_lower CHECK (email = lower(email)), 
    CONSTRAINT ck_users_superuser_verified CHECK (NOT is_superuser OR is_verified)
);

CREATE UNIQUE INDEX ix_users_email ON users (email);

CREATE TABLE user_roles (
    user_id UUID NOT NULL, 
    role_id INTEGER NOT NULL, 
    organisation_id UUID NOT NULL, 
    granted_by UUID, 
    granted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, 
    CONSTRAINT pk_user_roles PRIMARY KEY (user_id, role_id, organisation_id), 
    CONSTRAINT fk_user_roles_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
    CONSTRAINT fk_user_roles_role_id_roles FOREIGN KEY(role_id) REFERENCES roles (id), 
    CONSTRAINT fk_user_roles_organisation_id_organisations FOREIGN KEY(organisation_id) REFERENCES organisations (id), 
    CONSTRAINT fk_user_roles_granted_by_users FOREIGN KEY(granted_by) REFERENCES users (id) ON DELETE SET NULL
);

UPDATE alembic_version SET version_num='8a2be4c17d05' WHERE alembic_version.version_num = '3f1c0d9a7b21';

-- Running upgrade 8a2be4c17d05 -> c94d1e6f02ab

CREATE TYPE specialty AS ENUM ('cardiology', 'dermatology', 'general_practice', 'paediatrics', 'radiology');

CREATE TABLE practitioners (
    user_id UUID NOT NULL, 
    registration_no VARCHAR(12) NOT NULL, 
    specialty specialty DEFAULT 'general_practice' NOT NULL, 
    hourly_rate NUMERIC(8, 2), 
    licence_valid DATERANGE NOT NULL, 
    CONSTRAINT pk_practitioners PRIMARY KEY (user_id), 
    CONSTRAINT fk_practitioners_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
    CONSTRAINT uq_practitioners_registration_no UNIQUE (registration_no), 
    CONSTRAINT ck_practitioners_registration_no CHECK (registration_no ~ '^(GMC|NMC|HPC)[0-9]{7}$'), 
    CONSTRAINT ck_practitioners_licence_bounded CHECK (NOT isempty(licence_valid) AND NOT lower_inf(licence_valid)), 
    CONSTRAINT ck_practitioners_rate CHECK (hourly_rate > 0 AND hourly_rate < 2000)
);

CREATE TABLE rooms (
    id BIGSERIAL NOT NULL, 
    organisation_id UUID NOT NULL, 
    site_no SMALLINT NOT NULL, 
    code VARCHAR(10) NOT NULL, 
    floor SMALLINT DEFAULT 0 NOT NULL, 
    capacity SMALLINT DEFAULT 2 NOT NULL, 
    features JSONB, 
    CONSTRAINT pk_rooms PRIMARY KEY (id), 
    CONSTRAINT fk_rooms_organisation_id_sites FOREIGN KEY(organisation_id, site_no) REFERENCES sites (organisation_id, site_no) ON DELETE CASCADE, 
    CONSTRAINT uq_rooms_organisation_id_site_no_code UNIQUE (organisation_id, site_no, code), 
    CONSTRAINT ck_rooms_capacity CHECK (capacity > 0), 
    CONSTRAINT ck_rooms_features_array CHECK (jsonb_typeof(features) = 'array')
);

CREATE TABLE equipment (
    id BIGSERIAL NOT NULL, 
    asset_tag VARCHAR(16) NOT NULL, 
    room_id BIGINT, 
    model VARCHAR(120) NOT NULL, 
    purchase_price NUMERIC(12, 2) NOT NULL, 
    residual_value NUMERIC(12, 2) DEFAULT 0 NOT NULL, 
    depreciation NUMERIC(12, 2) GENERATED ALWAYS AS (purchase_price - residual_value) STORED, 
    mac MACADDR, 
    service_interval INTERVAL, 
    CONSTRAINT pk_equipment PRIMARY KEY (id), 
    CONSTRAINT fk_equipment_room_id_rooms FOREIGN KEY(room_id) REFERENCES rooms (id) ON DELETE SET NULL, 
    CONSTRAINT uq_equipment_asset_tag UNIQUE (asset_tag), 
    CONSTRAINT ck_equipment_residual CHECK (residual_value >= 0 AND residual_value <= purchase_price), 
    CONSTRAINT ck_equipment_service_interval CHECK (service_interval >= interval '1 day')
);

CREATE UNIQUE INDEX uq_equipment_mac ON equipment (mac) WHERE mac IS NOT NULL;

UPDATE alembic_version SET version_num='c94d1e6f02ab' WHERE alembic_version.version_num = '8a2be4c17d05';

-- Running upgrade c94d1e6f02ab -> d07aa95c3e44

CREATE TYPE sex AS ENUM ('female', 'male', 'intersex', 'unknown');

CREATE TABLE patients (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY, 
    nhs_number CHAR(10), 
    given_name VARCHAR(80) NOT NULL, 
    family_name VARCHAR(80) NOT NULL, 
    birth_date DATE NOT NULL, 
    death_date DATE, 
    sex sex DEFAULT 'unknown' NOT NULL, 
    email VARCHAR(320), 
    phone VARCHAR(20), 
    postcode VARCHAR(8), 
    registered_practitioner_id UUID, 
    allergies TEXT[] DEFAULT '{}' NOT NULL, 
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, 
    search_vector TSVECTOR GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, given_name || ' ' || family_name)) STORED, 
    CONSTRAINT pk_patients PRIMARY KEY (id), 
    CONSTRAINT fk_patients_registered_practitioner_id_practitioners FOREIGN KEY(registered_practitioner_id) REFERENCES practitioners (user_id), 
    CONSTRAINT ck_patients_nhs_digits CHECK (nhs_number ~ '^\d{10}$'), 
    CONSTRAINT ck_patients_birth_date CHECK (birth_date >= DATE '1900-01-01'), 
    CONSTRAINT ck_patients_death_after_birth CHECK (death_date >= birth_date), 
    CONSTRAINT ck_patients_contactable CHECK (death_date IS NOT NULL OR email IS NOT NULL OR phone IS NOT NULL)
);

CREATE UNIQUE INDEX uq_patients_nhs_number ON patients (nhs_number);

CREATE INDEX ix_patients_search_vector ON patients USING gin (search_vector);

CREATE INDEX ix_patients_name ON patients (lower(family_name), lower(given_name));

CREATE TABLE patient_contacts (
    patient_id BIGINT NOT NULL, 
    contact_no SMALLINT NOT NULL, 
    relationship VARCHAR(20) NOT NULL, 
    contact_patient_id BIGINT, 
    full_name VARCHAR(160), 
    phone VARCHAR(20), 
    CONSTRAINT pk_patient_contacts PRIMARY KEY (patient_id, contact_no), 
    CONSTRAINT fk_patient_contacts_patient_id_patients FOREIGN KEY(patient_id) REFERENCES patients (id) ON DELETE CASCADE, 
    CONSTRAINT fk_patient_contacts_contact_patient_id_patients FOREIGN KEY(contact_patient_id) REFERENCES patients (id), 
    CONSTRAINT ck_patient_contacts_relationship CHECK (relationship IN ('parent', 'spouse', 'child', 'carer', 'other')), 
    CONSTRAINT ck_patient_contacts_one_of CHECK ((contact_patient_id IS NULL) <> (full_name IS NULL)), 
    CONSTRAINT ck_patient_contacts_not_self CHECK (contact_patient_id <> patient_id), 
    CONSTRAINT ck_patient_contacts_no CHECK (contact_no >= 1)
);

UPDATE alembic_version SET version_num='d07aa95c3e44' WHERE alembic_version.version_num = 'c94d1e6f02ab';

-- Running upgrade d07aa95c3e44 -> e5510b8d9f3c

CREATE TYPE appointment_status AS ENUM ('booked', 'arrived', 'completed', 'cancelled', 'no_show');

CREATE TABLE appointments (
    id BIGSERIAL NOT NULL, 
    patient_id BIGINT NOT NULL, 
    practitioner_id UUID NOT NULL, 
    room_id BIGINT, 
    during TSTZRANGE NOT NULL, 
    status appointment_status DEFAULT 'booked' NOT NULL, 
    cancelled_at TIMESTAMP WITH TIME ZONE, 
    cancellation_reason VARCHAR(200), 
    follow_up_of_id BIGINT, 
    reference UUID DEFAULT gen_random_uuid() NOT NULL, 
    CONSTRAINT pk_appointments PRIMARY KEY (id), 
    CONSTRAINT fk_appointments_patient_id_patients FOREIGN KEY(patient_id) REFERENCES patients (id), 
    CONSTRAINT fk_appointments_practitioner_id_practitioners FOREIGN KEY(practitioner_id) REFERENCES practitioners (user_id), 
    CONSTRAINT fk_appointments_room_id_rooms FOREIGN KEY(room_id) REFERENCES rooms (id) ON DELETE SET NULL, 
    CONSTRAINT fk_appointments_follow_up_of_id_appointments FOREIGN KEY(follow_up_of_id) REFERENCES appointments (id), 
    CONSTRAINT uq_appointments_reference UNIQUE (reference), 
    CONSTRAINT ck_appointments_during_bounded CHECK (NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)), 
    CONSTRAINT ck_appointments_max_length CHECK (upper(during) - lower(during) <= interval '8 hours'), 
    CONSTRAINT ck_appointments_cancelled CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL)), 
    CONSTRAINT ck_appointments_reason CHECK (cancellation_reason IS NULL OR status = 'cancelled'), 
    CONSTRAINT ex_appointments_practitioner EXCLUDE USING gist (practitioner_id WITH =, during WITH &&) WHERE (status <> 'cancelled'), 
    CONSTRAINT ex_appointments_room EXCLUDE USING gist (room_id WITH =, during WITH &&) WHERE (status <> 'cancelled')
);

CREATE INDEX ix_appointments_patient_id ON appointments (patient_id);

CREATE INDEX ix_appointments_starts ON appointments (lower(during)) WHERE status = 'booked';

CREATE TABLE practitioner_shifts (
    practitioner_id UUID NOT NULL, 
    organisation_id UUID NOT NULL, 
    site_no SMALLINT NOT NULL, 
    weekday SMALLINT NOT NULL, 
    starts TIME WITHOUT TIME ZONE NOT NULL, 
    ends TIME WITHOUT TIME ZONE NOT NULL, 
    CONSTRAINT pk_practitioner_shifts PRIMARY KEY (practitioner_id, organisation_id, site_no, weekday, starts), 
    CONSTRAINT fk_practitioner_shifts_practitioner_id_practitioners FOREIGN KEY(practitioner_id) REFERENCES practitioners (user_id) ON DELETE CASCADE, 
    CONSTRAINT fk_practitioner_shifts_site FOREIGN KEY(organisation_id, site_no) REFERENCES sites (organisation_id, site_no), 
    CONSTRAINT ck_practitioner_shifts_weekday CHECK (weekday BETWEEN 0 AND 6), 
    CONSTRAINT ck_practitioner_shifts_order CHECK (starts < ends)
);

UPDATE alembic_version SET version_num='e5510b8d9f3c' WHERE alembic_version.version_num = 'd07aa95c3e44';

-- Running upgrade e5510b8d9f3c -> f6ab2c7710e8

CREATE TABLE drugs (
    atc_code VARCHAR(7) NOT NULL, 
    name VARCHAR(120) NOT NULL, 
    controlled BOOLEAN DEFAULT false NOT NULL, 
    schedule SMALLINT, 
    max_daily_dose NUMERIC(10, 3), 
    CONSTRAINT pk_drugs PRIMARY KEY (atc_code), 
    CONSTRAINT ck_drugs_atc CHECK (atc_code ~ '^[A-V][0-9]{2}[A-Z]{2}[0-9]{2}$'), 
    CONSTRAINT ck_drugs_schedule CHECK (controlled = (schedule IS NOT NULL) AND (schedule IS NULL OR schedule BETWEEN 1 AND 5))
);

CREATE TABLE drug_interactions (
    drug_a VARCHAR(7) NOT NULL, 
    drug_b VARCHAR(7) NOT NULL, 
    severity SMALLINT NOT NULL, 
    note TEXT, 
    CONSTRAINT pk_drug_interactions PRIMARY KEY (drug_a, drug_b), 
    CONSTRAINT fk_drug_interactions_drug_a_drugs FOREIGN KEY(drug_a) REFERENCES drugs (atc_code) ON DELETE CASCADE, 
    CONSTRAINT fk_drug_interactions_drug_b_drugs FOREIGN KEY(drug_b) REFERENCES drugs (atc_code) ON DELETE CASCADE, 
    CONSTRAINT ck_drug_interactions_ordered CHECK (drug_a < drug_b), 
    CONSTRAINT ck_drug_interactions_severity CHECK (severity IN (1, 2, 3))
);

CREATE TABLE prescriptions (
    id BIGSERIAL NOT NULL, 
    patient_id BIGINT NOT NULL, 
    prescriber_id UUID NOT NULL, 
    appointment_id BIGINT, 
    issued_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, 
    valid_days SMALLINT DEFAULT 28 NOT NULL, 
    repeats SMALLINT DEFAULT 0 NOT NULL, 
    repeats_left SMALLINT DEFAULT 0 NOT NULL, 
    CONSTRAINT pk_prescriptions PRIMARY KEY (id), 
    CONSTRAINT fk_prescriptions_patient_id_patients FOREIGN KEY(patient_id) REFERENCES patients (id), 
    CONSTRAINT fk_prescriptions_prescriber_id_practitioners FOREIGN KEY(prescriber_id) REFERENCES practitioners (user_id), 
    CONSTRAINT fk_prescriptions_appointment_id_appointments FOREIGN KEY(appointment_id) REFERENCES appointments (id), 
    CONSTRAINT ck_prescriptions_valid_days CHECK (valid_days > 0 AND valid_days <= 365), 
    CONSTRAINT ck_prescriptions_repeats CHECK (0 <= repeats_left AND repeats_left <= repeats AND repeats <= 12)
);

CREATE TABLE prescription_items (
    prescription_id BIGINT NOT NULL, 
    line_no SMALLINT NOT NULL, 
    atc_code VARCHAR(7) NOT NULL, 
    dose NUMERIC(10, 3) NOT NULL, 
    unit VARCHAR(5) NOT NULL, 
    per_day SMALLINT NOT NULL, 
    daily_dose NUMERIC(13, 3) GENERATED ALWAYS AS (dose * per_day) STORED, 
    as_needed BOOLEAN DEFAULT false NOT NULL, 
    CONSTRAINT pk_prescription_items PRIMARY KEY (prescription_id, line_no), 
    CONSTRAINT fk_prescription_items_prescription_id_prescriptions FOREIGN KEY(prescription_id) REFERENCES prescriptions (id) ON DELETE CASCADE, 
    CONSTRAINT fk_prescription_items_atc_code_drugs FOREIGN KEY(atc_code) REFERENCES drugs (atc_code), 
    CONSTRAINT uq_prescription_items_prescription_id_atc_code UNIQUE (prescription_id, atc_code), 
    CONSTRAINT ck_prescription_items_dose CHECK (dose > 0 AND per_day BETWEEN 1 AND 24), 
    CONSTRAINT ck_prescription_items_unit CHECK (unit IN ('mg', 'ml', 'mcg', 'IU', 'puff'))
);

UPDATE alembic_version SET version_num='f6ab2c7710e8' WHERE alembic_version.version_num = 'e5510b8d9f3c';

-- Running upgrade f6ab2c7710e8 -> 0c83fe219d57

CREATE TABLE lab_results (
    id BIGSERIAL NOT NULL, 
    patient_id BIGINT NOT NULL, 
    parent_id BIGINT, 
    loinc VARCHAR(7) NOT NULL, 
    value_numeric NUMERIC, 
    value_text TEXT, 
    value_coded JSONB, 
    unit VARCHAR(20), 
    reference_range NUMRANGE, 
    abnormal BOOLEAN GENERATED ALWAYS AS (NOT (value_numeric <@ reference_range)) STORED, 
    taken_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    reported_at TIMESTAMP WITH TIME ZONE, 
    fingerprint BYTEA, 
    CONSTRAINT pk_lab_results PRIMARY KEY (id), 
    CONSTRAINT fk_lab_results_patient_id_patients FOREIGN KEY(patient_id) REFERENCES patients (id), 
    CONSTRAINT fk_lab_results_parent_id_lab_results FOREIGN KEY(parent_id) REFERENCES lab_results (id) ON DELETE CASCADE, 
    CONSTRAINT ck_lab_results_one_value CHECK (num_nonnulls(value_numeric, value_text, value_coded) = 1), 
    CONSTRAINT ck_lab_results_unit CHECK (value_numeric IS NULL OR unit IS NOT NULL), 
    CONSTRAINT ck_lab_results_loinc CHECK (loinc ~ '^[0-9]{1,5}-[0-9]$'), 
    CONSTRAINT ck_lab_results_reported CHECK (reported_at >= taken_at), 
    CONSTRAINT ck_lab_results_fingerprint CHECK (octet_length(fingerprint) = 32)
);

CREATE INDEX ix_lab_results_patient_id_taken_at ON lab_results (patient_id, taken_at DESC);

CREATE INDEX ix_lab_results_taken_at ON lab_results USING brin (taken_at);

UPDATE alembic_version SET version_num='0c83fe219d57' WHERE alembic_version.version_num = 'f6ab2c7710e8';

-- Running upgrade 0c83fe219d57 -> 1b9d4e3a6f70

CREATE TYPE channel AS ENUM ('in_person', 'phone', 'video');

ALTER TABLE appointments ADD COLUMN channel channel DEFAULT 'in_person' NOT NULL;

ALTER TABLE appointments ADD CONSTRAINT ck_appointments_room_when_in_person CHECK (channel = 'in_person' OR room_id IS NULL);

ALTER TABLE patients ADD COLUMN merged_into_id BIGINT;

ALTER TABLE patients ADD CONSTRAINT fk_patients_merged_into_id_patients FOREIGN KEY(merged_into_id) REFERENCES patients (id);

ALTER TABLE patients ALTER COLUMN postcode TYPE VARCHAR(10);

COMMENT ON COLUMN patients.merged_into_id IS 'surviving record';

INSERT INTO roles (name, permissions) VALUES ('admin', '{"*"}'), ('receptionist', '{"appointments:write","patients:read"}');

UPDATE alembic_version SET version_num='1b9d4e3a6f70' WHERE alembic_version.version_num = '0c83fe219d57';

COMMIT;
