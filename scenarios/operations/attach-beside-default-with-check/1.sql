ALTER TABLE events_other ADD CONSTRAINT not_february
  CHECK (happened_on < '2026-02-01' OR happened_on >= '2026-03-01') NOT VALID;
