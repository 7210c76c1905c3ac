-- what: history of this database: its counters at each sample
-- object: table monitoring.database_history
-- servers: 14..18
CREATE TABLE monitoring.database_history (
    at timestamp with time zone NOT NULL,
    counted_since timestamp with time zone,
    connections integer NOT NULL,
    active integer NOT NULL,
    idle_in_transaction integer NOT NULL,
    waiting_for_lock integer NOT NULL,
    commits bigint NOT NULL,
    rollbacks bigint NOT NULL,
    blocks_hit bigint NOT NULL,
    blocks_read bigint NOT NULL,
    temp_files bigint NOT NULL,
    temp_bytes bigint NOT NULL,
    deadlocks bigint NOT NULL,
    database_bytes bigint,
    timed_checkpoints bigint,
    requested_checkpoints bigint,
    wal_bytes numeric,
    took_ms double precision
) PARTITION BY RANGE (at);

COMMENT ON TABLE monitoring.database_history IS
'Counters of this database as they stood at each sample (they begin anew where counted_since
changes); written by record_performance_metrics(), one partition a day. took_ms is what the sample
itself cost. Look for the difference of two rows.';

GRANT SELECT ON monitoring.database_history TO pg_monitor;
