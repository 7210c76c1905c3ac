-- name: pending_tasks
-- class: queue
-- what: the tasks that have waited longest
-- uses: ai_tasks_status_created_at_idx
SELECT id, project_id, task_name, task_type, priority, created_at
  FROM ai_tasks
 WHERE status = 'pending'
 ORDER BY created_at, id
 LIMIT 50;
