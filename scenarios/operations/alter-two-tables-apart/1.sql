ALTER TABLE customers ADD COLUMN remark text;
