-- name: service_logs
-- class: logs
-- what: log lines of one service in one hour, newest first
-- uses: system_logs_created_at_service_name_idx
-- $1 service text: SELECT service_name FROM system_logs ORDER BY id DESC LIMIT 200
-- $2 hour timestamp with time zone: SELECT date_trunc('hour', now()) - i * interval '1 hour' FROM generate_series(1, 168) i ORDER BY i
SELECT created_at, log_level, message, context
  FROM system_logs
 WHERE service_name = $1 AND created_at >= $2 AND created_at < $2 + interval '1 hour'
 ORDER BY created_at DESC, id DESC
 LIMIT 500;
