-- What an operator looks at: the projects of the day, and how the models do. For pgbench.
-- weight: 1
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
SELECT model_id, count(*) AS results, round(avg(confidence_score), 4) AS confidence,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY processing_time_ms) AS p95_ms
  FROM ai_results
 WHERE created_at >= now() - interval '6 hours'
 GROUP BY model_id
 ORDER BY model_id;
