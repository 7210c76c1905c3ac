-- name: project_tasks
-- class: lookup
-- what: failed tasks of one project, the last changed first
-- uses: ai_tasks_project_id_failed_idx
-- $1 project uuid: SELECT project_id FROM ai_tasks ORDER BY id DESC LIMIT 200
SELECT task_name, created_at, updated_at
  FROM ai_tasks
 WHERE project_id = $1 AND status = 'failed'
 ORDER BY updated_at DESC, created_at DESC, task_name
 LIMIT 50;
