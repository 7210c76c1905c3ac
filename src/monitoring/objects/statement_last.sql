-- what: the counters of each statement at the last sample
-- object: table monitoring.statement_last
-- servers: 14..18
CREATE TABLE monitoring.statement_last (
    query_id bigint NOT NULL,
    role_oid oid NOT NULL,
    counted_since timestamp with time zone,
    calls bigint NOT NULL,
    total_ms double precision NOT NULL,
    result_rows bigint NOT NULL,
    cache_hits bigint NOT NULL,
    cache_reads bigint NOT NULL,
    temp_blocks bigint NOT NULL,
    io_ms double precision NOT NULL,
    wal_bytes numeric NOT NULL,
    PRIMARY KEY (query_id, role_oid)
);

COMMENT ON TABLE monitoring.statement_last IS
'Counters of pg_stat_statements at the last sample, to subtract from the next; of
record_performance_metrics() only.';

GRANT SELECT ON monitoring.statement_last TO pg_monitor;
