-- name: full_text
-- class: search
-- what: tasks by the words of their name, best match first
-- uses: ai_tasks_task_name_fts_idx
-- $1 words text: SELECT split_part(task_name, ' ', 3) || ' ' || split_part(task_name, ' ', 5) FROM ai_tasks ORDER BY id DESC LIMIT 200
SELECT id, project_id, task_name, status, created_at,
       ts_rank(to_tsvector('english', task_name), websearch_to_tsquery('english', $1)) AS rank
  FROM ai_tasks
 WHERE to_tsvector('english', task_name) @@ websearch_to_tsquery('english', $1)
 ORDER BY rank DESC, created_at DESC, id
 LIMIT 20;
