COMMENT ON TABLE "audit_logs" IS 'Who did what';
