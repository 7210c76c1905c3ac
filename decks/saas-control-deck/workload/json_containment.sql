-- name: json_containment
-- class: search
-- what: tasks whose input holds one dataset, newest first
-- uses: ai_tasks_input_data_idx
-- $1 part jsonb: SELECT jsonb_build_object('dataset', input_data->'dataset') FROM ai_tasks ORDER BY id DESC LIMIT 200
-- MATERIALIZED: a LIMIT beside the search would tempt the planner to walk the index on created_at
-- until it has met enough, when it does not know how rare the value is.
WITH found AS MATERIALIZED (
    SELECT id, project_id, task_name, status, created_at
      FROM ai_tasks
     WHERE input_data @> $1
)
SELECT id, project_id, task_name, status, created_at
  FROM found
 ORDER BY created_at DESC, id
 LIMIT 100;
