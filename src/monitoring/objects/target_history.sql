-- what: history of the deck's targets: sums by minute, in batches of ten minutes
-- object: table monitoring.target_history
-- servers: 14..18
CREATE TABLE monitoring.target_history (
    at timestamp with time zone NOT NULL,
    name text NOT NULL,
    sums real[] NOT NULL,
    PRIMARY KEY (at, name)
) PARTITION BY RANGE (at);

COMMENT ON TABLE monitoring.target_history IS
'What pgdeck watch measured of the environment''s targets: one row for ten minutes from at, sums has
the figures of each minute in turn, NULL where nobody looked. cache_hit: blocks hit and read;
connections: sum and number of samples; query_mean: ms and calls; ai_task_errors: failed and done;
query_p95, ai_task: how many took up to 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250 and
500 ms, 1, 2.5, 5, 10, 30, 60, 120, 300, 1800, 7200 s and longer. "load EVENT, ...": of the whole
server, for each five minutes how often somebody looked, and the sum of sessions at work that waited
so, event by event. One partition a day.';

GRANT SELECT ON monitoring.target_history TO pg_monitor;
