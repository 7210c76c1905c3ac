-- name: user_tasks
-- class: lookup
-- what: the latest tasks of one user
-- uses: ai_tasks_user_id_created_at_idx
-- $1 user uuid: SELECT user_id FROM ai_tasks ORDER BY id DESC LIMIT 200
SELECT id, project_id, task_name, status, created_at, completed_at
  FROM ai_tasks
 WHERE user_id = $1
 ORDER BY created_at DESC, id DESC
 LIMIT 20;
