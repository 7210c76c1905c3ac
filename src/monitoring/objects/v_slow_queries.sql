-- what: the statements of this database that are slow, or that take a large share of its time
-- object: view monitoring.v_slow_queries
-- servers: 14..18
-- after: monitoring.statement_counters(with_text boolean)
CREATE OR REPLACE VIEW monitoring.v_slow_queries AS
WITH statement AS (
    SELECT s.*,
           pg_catalog.trunc(CAST(100 * s.total_ms
               / nullif(pg_catalog.sum(s.total_ms) OVER (), 0) AS numeric), 1) AS share_percent
      FROM monitoring.statement_counters(true) AS s
     WHERE s.problem IS NOT NULL
        OR s.database_oid = (SELECT d.oid FROM pg_catalog.pg_database AS d
                              WHERE d.datname = pg_catalog.current_database())
), reason AS (
    SELECT s.*,
           pg_catalog.concat_ws(', ',
               s.problem,
               CASE WHEN s.mean_ms >= 100 THEN 'mean over 100 ms' END,
               CASE WHEN s.max_ms >= 1000 THEN 'once over 1 s' END,
               CASE WHEN s.share_percent >= 10 AND s.total_ms >= 60000
                    THEN 'a tenth of this database''s time or more' END) AS why
      FROM statement AS s
)
SELECT r.query_id,
       pg_catalog.pg_get_userbyid(r.role_oid) AS role_name,
       r.why,
       r.calls,
       pg_catalog.round(CAST(r.total_ms AS numeric), 1) AS total_ms,
       r.share_percent,
       pg_catalog.round(CAST(r.mean_ms AS numeric), 3) AS mean_ms,
       pg_catalog.round(CAST(r.min_ms AS numeric), 3) AS min_ms,
       pg_catalog.round(CAST(r.max_ms AS numeric), 3) AS max_ms,
       pg_catalog.round(CAST(r.stddev_ms AS numeric), 3) AS stddev_ms,
       r.result_rows,
       pg_catalog.round(CAST(r.result_rows AS numeric) / nullif(r.calls, 0), 1) AS rows_per_call,
       pg_catalog.trunc(100.0 * r.cache_hits / nullif(r.cache_hits + r.cache_reads, 0), 2)
           AS cache_hit_percent,
       r.temp_blocks,
       CASE WHEN CAST(pg_catalog.current_setting('track_io_timing') AS boolean)
            THEN pg_catalog.round(CAST(r.io_ms AS numeric), 1) END AS io_ms,
       r.wal_bytes,
       r.counted_since,
       r.query
  FROM reason AS r
 WHERE r.why <> ''
 ORDER BY r.total_ms DESC NULLS FIRST, r.query_id;

COMMENT ON VIEW monitoring.v_slow_queries IS
'Statements of this database with a mean over 100 ms, one run over 1 s, or a tenth of all time;
the costliest first. Look at total_ms and share_percent first, then at temp_blocks above 0
(work_mem) and a low cache_hit_percent. A stddev_ms above the mean says the mean hides two kinds
of runs. There is no p95: pg_stat_statements does not hold one. io_ms is empty while
track_io_timing is off. One row with only the column why set says why nothing can be measured.';

GRANT SELECT ON monitoring.v_slow_queries TO pg_monitor;
