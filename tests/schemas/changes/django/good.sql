BEGIN;
--
-- Add field public_id to order
--
ALTER TABLE "orders_order" ADD COLUMN "public_id" uuid NULL;
ALTER TABLE "orders_order" ALTER COLUMN "public_id" SET DEFAULT (gen_random_uuid());
COMMIT;
