-- what: history of what can run out, once an hour
-- object: table monitoring.growth_history
-- servers: 14..18
CREATE TABLE monitoring.growth_history (
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    value numeric NOT NULL
) PARTITION BY RANGE (at);

COMMENT ON TABLE monitoring.growth_history IS
'Bytes of this database, the next transaction id, and the values of the 100 sequences that are
furthest, once an hour; written by record_performance_metrics(), one partition a day. Look for the
difference of two rows; the health check "forecast" does. pgdeck watch adds the free bytes of the
server''s disks.';

GRANT SELECT ON monitoring.growth_history TO pg_monitor;
