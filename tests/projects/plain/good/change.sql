CREATE INDEX CONCURRENTLY entries_booked_at ON entries (booked_at);
