ALTER TABLE uploads ADD CONSTRAINT uploads_bytes CHECK (bytes > 0 AND sha512(id::bytea) <> '') NOT VALID;
ALTER TABLE uploads VALIDATE CONSTRAINT uploads_bytes;
