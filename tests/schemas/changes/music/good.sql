CREATE UNIQUE INDEX CONCURRENTLY track_uniq_medium_number_gid ON track (medium, number, gid);
ALTER TABLE track ADD CONSTRAINT track_uniq_medium_number_gid UNIQUE USING INDEX track_uniq_medium_number_gid;
