-- name: dashboard
-- class: dashboard
-- what: tasks of the last 24 hours in each project: total, completed, mean duration
-- uses: ai_tasks_created_at_idx
-- A task has several results: whoever joins them here counts it several times. The grouping inside
-- keeps the projects without a task, which a WHERE on the joined tasks would lose.
SELECT p.id, p.name, coalesce(t.total, 0) AS total, coalesce(t.completed, 0) AS completed,
       t.mean_duration_s
  FROM projects p
  LEFT JOIN (SELECT project_id, sum(total)::bigint AS total, sum(completed)::bigint AS completed,
                    round(sum(duration_s) / nullif(sum(timed), 0), 3) AS mean_duration_s
               FROM ai_tasks_by_hour(now() - interval '24 hours')
              GROUP BY project_id) t ON t.project_id = p.id
 ORDER BY total DESC, p.id;

-- before: the same without the rollup
SELECT p.id, p.name, coalesce(t.total, 0) AS total, coalesce(t.completed, 0) AS completed,
       t.mean_duration_s
  FROM projects p
  LEFT JOIN (SELECT project_id, count(*) AS total,
                    count(*) FILTER (WHERE status = 'completed') AS completed,
                    round(avg(extract(epoch FROM completed_at - started_at))
                              FILTER (WHERE status = 'completed'), 3) AS mean_duration_s
               FROM ai_tasks
              WHERE created_at >= now() - interval '24 hours'
              GROUP BY project_id) t ON t.project_id = p.id
 ORDER BY total DESC, p.id;
