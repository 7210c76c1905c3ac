-- name: metric_series
-- class: analytics
-- what: one figure of one service by the hour, last 24 hours
-- uses: performance_metrics_series_idx
-- $1 service text: SELECT DISTINCT service_name FROM (SELECT service_name FROM performance_metrics ORDER BY id DESC LIMIT 200) m ORDER BY service_name
-- $2 metric text: SELECT DISTINCT metric_name FROM (SELECT metric_name FROM performance_metrics ORDER BY id DESC LIMIT 200) m ORDER BY metric_name
SELECT date_trunc('hour', recorded_at) AS hour, count(*) AS samples,
       min(value) AS lowest, max(value) AS highest,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median
  FROM performance_metrics
 WHERE service_name = $1 AND metric_name = $2 AND recorded_at >= now() - interval '24 hours'
 GROUP BY hour
 ORDER BY hour;
