-- disable_ddl_transaction!
-- AddIndexToVersionsOnWhodunnitAndCreatedAt
CREATE INDEX CONCURRENTLY index_versions_on_whodunnit_and_created_at ON public.versions (whodunnit, created_at);
