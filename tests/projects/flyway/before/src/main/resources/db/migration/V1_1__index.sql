CREATE INDEX invoice_customer_id ON invoice (customer_id);
