-- what: history of statements: what each one did between two samples
-- object: table monitoring.statement_history
-- servers: 14..18
CREATE TABLE monitoring.statement_history (
    at timestamp with time zone NOT NULL,
    since timestamp with time zone NOT NULL,
    query_id bigint NOT NULL,
    role_oid oid NOT NULL,
    calls bigint NOT NULL,
    total_ms double precision NOT NULL,
    result_rows bigint NOT NULL,
    cache_hits bigint NOT NULL,
    cache_reads bigint NOT NULL,
    temp_blocks bigint NOT NULL,
    io_ms double precision NOT NULL,
    wal_bytes numeric NOT NULL
) PARTITION BY RANGE (at);

COMMENT ON TABLE monitoring.statement_history IS
'What each statement of this database did from since to at; written by record_performance_metrics(),
one partition a day. query_id 0 is the sum of all that were not among the 45 costliest. Read
v_query_performance_trends instead.';

GRANT SELECT ON monitoring.statement_history TO pg_monitor;
