-- name: latest_by_type
-- class: dashboard
-- what: the last five tasks of each type in one project within a week, each with the time since the one before
-- uses: ai_tasks_project_id_created_at_idx
-- $1 project uuid: SELECT project_id FROM ai_tasks ORDER BY id DESC LIMIT 200
SELECT task_type, place, id, status, created_at, since_last
  FROM (SELECT task_type, id, status, created_at,
               row_number() OVER latest AS place,
               created_at - lead(created_at) OVER latest AS since_last
          FROM ai_tasks
         WHERE project_id = $1 AND created_at >= now() - interval '7 days'
        WINDOW latest AS (PARTITION BY task_type ORDER BY created_at DESC, id DESC)) t
 WHERE place <= 5
 ORDER BY task_type, place;
