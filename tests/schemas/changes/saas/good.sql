-- more digits before the point only: nothing to rewrite
alter table usage_records alter column quantity type numeric(24,6);
