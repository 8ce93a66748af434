-- An index on a partitioned table cannot be built concurrently in one go: an
-- invalid one on the parents, one per leaf, then attach.
CREATE INDEX installment_paid_idx ON ONLY app.installment (paid_cents, due_on);
CREATE INDEX installment_2026h2_paid_idx ON ONLY app.installment_2026h2 (paid_cents, due_on);
CREATE INDEX CONCURRENTLY installment_2024_paid_idx ON app.installment_2024 (paid_cents, due_on);
ALTER INDEX app.installment_paid_idx ATTACH PARTITION app.installment_2024_paid_idx;
CREATE INDEX CONCURRENTLY installment_2025_paid_idx ON app.installment_2025 (paid_cents, due_on);
ALTER INDEX app.installment_paid_idx ATTACH PARTITION app.installment_2025_paid_idx;
CREATE INDEX CONCURRENTLY installment_2026h1_paid_idx ON app.installment_2026h1 (paid_cents, due_on);
ALTER INDEX app.installment_paid_idx ATTACH PARTITION app.installment_2026h1_paid_idx;
CREATE INDEX CONCURRENTLY installment_2026h2_0_paid_idx ON app.installment_2026h2_0 (paid_cents, due_on);
ALTER INDEX app.installment_2026h2_paid_idx ATTACH PARTITION app.installment_2026h2_0_paid_idx;
CREATE INDEX CONCURRENTLY installment_2026h2_1_paid_idx ON app.installment_2026h2_1 (paid_cents, due_on);
ALTER INDEX app.installment_2026h2_paid_idx ATTACH PARTITION app.installment_2026h2_1_paid_idx;
CREATE INDEX CONCURRENTLY installment_2026h2_3_paid_idx ON app.installment_2026h2_3 (paid_cents, due_on);
ALTER INDEX app.installment_2026h2_paid_idx ATTACH PARTITION app.installment_2026h2_3_paid_idx;
ALTER INDEX app.installment_paid_idx ATTACH PARTITION app.installment_2026h2_paid_idx;
