ALTER TABLE shares ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX shares_token ON shares (token);
