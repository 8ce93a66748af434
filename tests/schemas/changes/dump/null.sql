COMMENT ON TABLE app.installment IS 'Premium instalments, partitioned by due date';
