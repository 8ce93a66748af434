ALTER TABLE uploads ADD CONSTRAINT uploads_bytes CHECK (is_plausible(bytes)) NOT VALID;
ALTER TABLE uploads VALIDATE CONSTRAINT uploads_bytes;
