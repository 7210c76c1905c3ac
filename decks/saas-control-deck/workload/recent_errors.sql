-- name: recent_errors
-- class: logs
-- what: the latest errors of all services within a week
-- uses: system_logs_errors_created_at_idx
SELECT created_at, service_name, log_level, message, context
  FROM system_logs
 WHERE log_level IN ('ERROR', 'CRITICAL') AND created_at >= now() - interval '7 days'
 ORDER BY created_at DESC, id DESC
 LIMIT 100;
