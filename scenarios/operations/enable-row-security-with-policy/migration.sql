CREATE POLICY application ON customers TO pgauntlet_app USING (true) WITH CHECK (true);
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
