-- name: json_output
-- class: search
-- what: tasks whose output has one label at one length, a nested key and a value in an array
-- uses: ai_tasks_output_data_idx
-- $1 part jsonb: SELECT jsonb_build_object('labels', jsonb_build_array(output_data->'labels'->0), 'usage', jsonb_build_object('output_tokens', output_data->'usage'->'output_tokens')) FROM ai_tasks WHERE status = 'completed' ORDER BY id DESC LIMIT 200
SELECT id, project_id, task_name, completed_at
  FROM ai_tasks
 WHERE output_data @> $1
 ORDER BY completed_at DESC, id
 LIMIT 100;
