-- CreateIndex
CREATE INDEX CONCURRENTLY "Item_ownerId_idx" ON "Item"("ownerId");
