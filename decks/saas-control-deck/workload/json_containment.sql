-- name: json_containment
-- class: search
-- what: tasks whose input holds one dataset, newest first
-- uses: ai_tasks_input_data_idx
-- $1 part jsonb: SELECT jsonb_build_object('dataset', input_data->'dataset') FROM ai_tasks ORDER BY id DESC LIMIT 200
SELECT id, project_id, task_name, status, created_at
  FROM ai_tasks
 WHERE input_data @> $1
 ORDER BY created_at DESC, id
 LIMIT 100;
