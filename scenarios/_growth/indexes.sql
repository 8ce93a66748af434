ALTER TABLE groups ADD PRIMARY KEY (id);
ALTER TABLE points ADD PRIMARY KEY (id);
ALTER TABLE visits ADD PRIMARY KEY (id);
CREATE MATERIALIZED VIEW points_by_group AS
    SELECT group_id, count(*) AS points, sum(value) AS total FROM points GROUP BY group_id;
