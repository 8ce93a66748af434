ALTER TABLE refs ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX refs_path ON refs (path);
