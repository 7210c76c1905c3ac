-- name: dashboard_project
-- class: dashboard
-- what: tasks of the last 24 hours in one project: total, completed, mean duration
-- uses: ai_tasks_project_id_created_at_idx
-- $1 project uuid: SELECT project_id FROM ai_tasks ORDER BY id DESC LIMIT 200
SELECT count(*) AS total, count(*) FILTER (WHERE status = 'completed') AS completed,
       round(avg(extract(epoch FROM completed_at - started_at))
                 FILTER (WHERE status = 'completed'), 3) AS mean_duration_s
  FROM ai_tasks
 WHERE project_id = $1 AND created_at >= now() - interval '24 hours';
