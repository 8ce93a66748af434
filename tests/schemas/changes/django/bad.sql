BEGIN;
--
-- Add field public_id to order
--
ALTER TABLE "orders_order" ADD COLUMN "public_id" uuid DEFAULT (gen_random_uuid()) NOT NULL;
COMMIT;
