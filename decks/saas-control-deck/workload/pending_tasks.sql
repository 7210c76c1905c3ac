-- name: pending_tasks
-- class: queue
-- what: how many tasks wait or run, and since when
-- uses: ai_tasks_status_created_at_idx
SELECT status, count(*) AS tasks, min(created_at) AS oldest
  FROM ai_tasks
 WHERE status IN ('pending', 'running')
 GROUP BY status
 ORDER BY status;
