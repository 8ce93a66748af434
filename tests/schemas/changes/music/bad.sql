ALTER TABLE track ADD CONSTRAINT track_uniq_medium_number_gid UNIQUE (medium, number, gid);
