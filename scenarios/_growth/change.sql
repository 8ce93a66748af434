CREATE INDEX points_value ON points (value);
CREATE INDEX points_label ON points (label);
CREATE INDEX CONCURRENTLY points_created_at ON points (created_at);
ALTER TABLE points ADD CONSTRAINT value_is_positive CHECK (value >= 0);
ALTER TABLE points ALTER COLUMN value SET NOT NULL;
ALTER TABLE points ADD CONSTRAINT points_group FOREIGN KEY (group_id) REFERENCES groups;
ALTER TABLE points ADD CONSTRAINT points_group_again FOREIGN KEY (group_id) REFERENCES groups NOT VALID;
ALTER TABLE points VALIDATE CONSTRAINT points_group_again;
REFRESH MATERIALIZED VIEW points_by_group;
DO $$
DECLARE
    low int;
BEGIN
    FOR low IN SELECT generate_series(0, (SELECT max(id) FROM points), 20000) LOOP
        UPDATE points SET mark = 1 WHERE id > low AND id <= low + 20000;
        COMMIT;
    END LOOP;
END $$;
UPDATE points SET mark = 2;
ALTER TABLE points ALTER COLUMN mark TYPE bigint;
ALTER TABLE points ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE points ADD COLUMN twice bigint GENERATED ALWAYS AS (value * 2) STORED;
CLUSTER points USING points_pkey;
