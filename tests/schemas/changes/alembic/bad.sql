BEGIN;

-- Running upgrade 1b9d4e3a6f70 -> 44d0c7be9a18

ALTER TABLE lab_results ADD COLUMN taken_on DATE GENERATED ALWAYS AS ((taken_at AT TIME ZONE 'UTC')::date) STORED;

CREATE INDEX ix_lab_results_taken_on ON lab_results (taken_on);

UPDATE alembic_version SET version_num='44d0c7be9a18' WHERE alembic_version.version_num = '1b9d4e3a6f70';

COMMIT;
