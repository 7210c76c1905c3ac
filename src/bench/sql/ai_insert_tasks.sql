-- what: inserts tasks that wait
-- servers: 14..
-- variables: rows (the table that they are in)
INSERT INTO ai_tasks (project_id, user_id, task_name, task_type, priority, input_data)
SELECT id, owner_id, name, 'pgdeck bench', priority, input
  FROM :"rows";
