-- more digits after the point: every row is rewritten
alter table usage_records alter column quantity type numeric(20,8);
