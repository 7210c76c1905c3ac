-- What the head of a project looks at: its day, and how the models do. For pgbench.
-- weight: 1
\set key random(0, 4294967295)
SELECT id AS project FROM (
    (SELECT id, 1 AS choice FROM projects
      WHERE id >= (lpad(to_hex(:key::bigint), 8, '0') || '-0000-4000-8000-000000000000')::uuid
      ORDER BY id LIMIT 1)
    UNION ALL (SELECT id, 2 FROM projects ORDER BY id LIMIT 1)) AS found
 ORDER BY choice LIMIT 1 \gset
BEGIN;
SELECT set_config('app.tenant', :project::text, true);
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
 WHERE p.id = :project::uuid;
COMMIT;
SELECT model_id, count(*) AS results, round(avg(confidence_score), 4) AS confidence,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY processing_time_ms) AS p95_ms
  FROM ai_results
 WHERE created_at >= now() - interval '6 hours'
 GROUP BY model_id
 ORDER BY model_id;
