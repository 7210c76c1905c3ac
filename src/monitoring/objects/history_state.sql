-- what: when the last sample was, and since when the statement counters counted then
-- object: table monitoring.history_state
-- servers: 14..18
CREATE TABLE monitoring.history_state (
    at timestamp with time zone NOT NULL,
    statements_since timestamp with time zone,
    evicted bigint
);

COMMENT ON TABLE monitoring.history_state IS
'One row about the last sample; of record_performance_metrics() only.';

GRANT SELECT ON monitoring.history_state TO pg_monitor;
