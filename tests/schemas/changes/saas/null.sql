comment on table usage_records is 'Metered usage, one row per report';
