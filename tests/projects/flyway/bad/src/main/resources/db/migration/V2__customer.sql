ALTER TABLE invoice ADD CONSTRAINT invoice_customer FOREIGN KEY (customer_id) REFERENCES customer (id),
    ALTER COLUMN customer_id TYPE integer;
