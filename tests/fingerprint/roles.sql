-- Roles belong to the whole server, and tests share one.
DO $$
DECLARE role text;
BEGIN
  FOREACH role IN ARRAY ARRAY['fp_owner', 'fp_app', 'fp_reader'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I', role);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
  END LOOP;
END $$;
