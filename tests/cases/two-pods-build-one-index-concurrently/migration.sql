CREATE INDEX CONCURRENTLY IF NOT EXISTS downloads_by_label ON downloads (label(package));
