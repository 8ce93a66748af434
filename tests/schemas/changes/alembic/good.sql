-- Running upgrade 1b9d4e3a6f70 -> 44d0c7be9a18

CREATE INDEX CONCURRENTLY ix_lab_results_taken_on ON lab_results (((taken_at AT TIME ZONE 'UTC')::date));

UPDATE alembic_version SET version_num='44d0c7be9a18' WHERE alembic_version.version_num = '1b9d4e3a6f70';
