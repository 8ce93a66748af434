ALTER TABLE measures ADD PRIMARY KEY (id);
CREATE MATERIALIZED VIEW medians AS
    SELECT item, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median
    FROM measures, (SELECT pg_sleep(2)) AS takes_long GROUP BY item;
CREATE UNIQUE INDEX medians_item ON medians (item);
