-- Expand: the new column is kept in step by a trigger until the backfill is done

-- AlterTable
ALTER TABLE "audit_logs" ADD COLUMN     "priority_big" BIGINT;

-- CreateFunction
CREATE FUNCTION "audit_logs_priority_big"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."priority_big" := NEW."priority";
  RETURN NEW;
END $$;

-- CreateTrigger
CREATE TRIGGER "audit_logs_priority_big" BEFORE INSERT OR UPDATE ON "audit_logs"
  FOR EACH ROW EXECUTE FUNCTION "audit_logs_priority_big"();
