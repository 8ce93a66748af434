COMMENT ON TABLE lab_results IS 'One row per observation';
