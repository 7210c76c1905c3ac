-- what: times and failures of the AI tasks of the last 24 hours, by type
-- object: view monitoring.v_ai_task_performance
-- servers: 14..18
-- needs: table ai_tasks(status, task_type, created_at, started_at, completed_at)
-- after: monitoring.ai_task_performance()
CREATE OR REPLACE VIEW monitoring.v_ai_task_performance AS
SELECT p.table_name, p.task_type, p.tasks, p.pending, p.running, p.completed, p.failed, p.cancelled,
       p.failed_percent, p.mean_s, p.p50_s, p.p95_s, p.max_s, p.mean_wait_s, p.p95_wait_s,
       p.oldest_pending, p.basis
  FROM monitoring.ai_task_performance() AS p;

COMMENT ON VIEW monitoring.v_ai_task_performance IS
'AI tasks created in the last 24 hours, by type. Look for p95_s above the environment''s target
(tasks that completed only), failed_percent (of those that completed or failed), and a p95_wait_s
or oldest_pending that grows: too few workers. Tasks that still run have no duration yet. The
column basis says what was read: all rows, a sample, or nothing, and why.';

GRANT SELECT ON monitoring.v_ai_task_performance TO pg_monitor;
