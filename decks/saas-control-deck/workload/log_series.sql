-- name: log_series
-- class: analytics
-- what: log lines and errors of all services by the hour, last seven days
-- uses: system_logs_created_at_service_name_idx
SELECT bucket AS hour, service_name, sum(lines)::bigint AS lines,
       coalesce(sum(lines) FILTER (WHERE log_level IN ('ERROR', 'CRITICAL')), 0)::bigint AS errors
  FROM system_logs_by_hour(now() - interval '7 days')
 GROUP BY bucket, service_name
 ORDER BY bucket, service_name;

-- before: the same without the rollup
SELECT date_trunc('hour', created_at, 'UTC') AS hour, service_name, count(*) AS lines,
       count(*) FILTER (WHERE log_level IN ('ERROR', 'CRITICAL')) AS errors
  FROM system_logs
 WHERE created_at >= now() - interval '7 days'
 GROUP BY 1, 2
 ORDER BY 1, 2;
