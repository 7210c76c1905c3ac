-- what: what each statement cost, hour by hour, and how that differs from the hour before
-- object: view monitoring.v_query_performance_trends
-- servers: 14..18
-- after: monitoring.statement_history, monitoring.query_texts, monitoring.history_gaps
CREATE OR REPLACE VIEW monitoring.v_query_performance_trends AS
WITH hourly AS (
    SELECT pg_catalog.date_trunc('hour', h.at) AS hour,
           h.query_id,
           CAST(pg_catalog.sum(h.calls) AS bigint) AS calls,
           pg_catalog.sum(h.total_ms) AS total_ms,
           pg_catalog.sum(h.total_ms) / nullif(pg_catalog.sum(h.calls), 0) AS mean_ms,
           CAST(pg_catalog.sum(h.result_rows) AS bigint) AS result_rows,
           pg_catalog.trunc(100.0 * pg_catalog.sum(h.cache_hits)
               / nullif(pg_catalog.sum(h.cache_hits) + pg_catalog.sum(h.cache_reads), 0), 2)
               AS cache_hit_percent,
           CAST(pg_catalog.sum(h.temp_blocks) AS bigint) AS temp_blocks,
           pg_catalog.sum(h.wal_bytes) AS wal_bytes
      FROM monitoring.statement_history AS h
     GROUP BY 1, 2
), compared AS (
    SELECT h.*,
           pg_catalog.lag(h.mean_ms) OVER (PARTITION BY h.query_id ORDER BY h.hour)
               AS mean_ms_before
      FROM hourly AS h
)
SELECT c.hour,
       c.query_id,
       c.calls,
       pg_catalog.round(CAST(c.total_ms AS numeric), 1) AS total_ms,
       pg_catalog.round(CAST(c.mean_ms AS numeric), 3) AS mean_ms,
       pg_catalog.round(CAST(c.mean_ms_before AS numeric), 3) AS mean_ms_before,
       pg_catalog.round(CAST(100 * (c.mean_ms - c.mean_ms_before) / nullif(c.mean_ms_before, 0)
           AS numeric), 1) AS change_percent,
       c.result_rows,
       c.cache_hit_percent,
       c.temp_blocks,
       c.wal_bytes,
       (SELECT pg_catalog.sum(least(g.until, c.hour + interval '1 hour')
                              - greatest(g.since, c.hour))
          FROM monitoring.history_gaps AS g
         WHERE g.until > c.hour AND g.since < c.hour + interval '1 hour') AS not_recorded,
       CASE WHEN c.query_id = 0 THEN '(all others)' ELSE q.query END AS query
  FROM compared AS c
  LEFT JOIN monitoring.query_texts AS q ON q.query_id = c.query_id
 ORDER BY c.hour DESC, c.total_ms DESC, c.query_id;

COMMENT ON VIEW monitoring.v_query_performance_trends IS
'What each statement of this database cost, hour by hour, the newest first. Look for a
change_percent well above 0 at similar calls (another plan, more data, a lost index), temp_blocks
that appear, and a cache_hit_percent that falls. not_recorded is time of that hour of which nothing
is known (history_gaps). No rows: nobody calls record_performance_metrics() yet. There is no p95:
pg_stat_statements does not hold one.';

GRANT SELECT ON monitoring.v_query_performance_trends TO pg_monitor;
