CREATE INDEX installment_paid_idx ON app.installment (paid_cents, due_on);
