/*
  Warnings:

  - You are about to alter the column `priority` on the `audit_logs` table.

*/
-- AlterTable
ALTER TABLE "audit_logs" ALTER COLUMN "priority" SET DATA TYPE BIGINT;
