-- Ten statements of an application on ai_tasks, as it prepares them.
-- calls: 500
SELECT id, task_name FROM ai_tasks WHERE user_id = $1 AND created_at >= $2;
-- calls: 2000
SELECT id, project_id, priority FROM ai_tasks WHERE status = 'pending' ORDER BY priority DESC, created_at LIMIT 10;
-- calls: 50
SELECT id FROM ai_tasks WHERE input_data @> '{"dataset": "dataset-17"}';
-- calls: 50
SELECT id FROM ai_tasks WHERE input_data ->> 'dataset' = $1;
-- calls: 50
SELECT id FROM ai_tasks WHERE lower(task_name) = $1;
-- calls: 50
SELECT id FROM ai_tasks WHERE task_name LIKE 'Translate s%';
-- calls: 500
SELECT t.id, t.status, p.name FROM projects p JOIN ai_tasks t ON t.project_id = p.id WHERE p.id = $1;
-- calls: 200
SELECT id, status FROM ai_tasks WHERE user_id IN ($1, $2, $3);
-- calls: 50
SELECT id FROM ai_tasks WHERE labels && ARRAY['label 7'];
-- calls: 200
SELECT count(*) FROM system_logs WHERE created_at >= $1 AND created_at < $2;
-- calls: 1000
UPDATE ai_tasks SET status = $2, updated_at = now() WHERE id = $1;
