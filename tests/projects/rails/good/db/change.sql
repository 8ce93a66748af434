CREATE INDEX CONCURRENTLY index_accounts_on_email ON accounts (email);
