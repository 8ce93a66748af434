ALTER TABLE visits_february ADD CONSTRAINT february
  CHECK (visited_on >= '2026-02-01' AND visited_on < '2026-03-01') NOT VALID;
