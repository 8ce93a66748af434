COMMENT ON TABLE track IS 'A recording as it appears on a medium';
