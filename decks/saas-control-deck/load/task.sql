-- An AI task: begun, worked on for a while, ended with its result; one in fifty fails. For pgbench.
-- weight: 2
\set key random(0, 4294967295)
\set work_ms random_exponential(100, 3000, 4)
\set dice random(1, 50)
SELECT id AS project, owner_id AS person FROM (
    (SELECT id, owner_id, 1 AS choice FROM projects
      WHERE id >= (lpad(to_hex(:key::bigint), 8, '0') || '-0000-4000-8000-000000000000')::uuid
      ORDER BY id LIMIT 1)
    UNION ALL (SELECT id, owner_id, 2 FROM projects ORDER BY id LIMIT 1)) AS found
 ORDER BY choice LIMIT 1 \gset
BEGIN;
SELECT set_config('app.tenant', :project::text, true);
INSERT INTO ai_tasks (project_id, user_id, task_name, task_type, status, started_at)
VALUES (:project::uuid, :person::uuid, 'summary', 'summarize', 'running', now())
RETURNING id AS task, created_at AS made \gset
COMMIT;
\sleep :work_ms ms
BEGIN;
SELECT set_config('app.tenant', :project::text, true);
\if :dice = 1
UPDATE ai_tasks SET status = 'failed', error_message = 'the model gave up', completed_at = now(),
                    updated_at = now()
 WHERE id = :task::bigint AND status = 'running' AND created_at = :made::timestamptz;
\else
UPDATE ai_tasks SET status = 'completed', output_data = '{}', completed_at = now(),
                    updated_at = now()
 WHERE id = :task::bigint AND status = 'running' AND created_at = :made::timestamptz;
INSERT INTO ai_results (task_id, model_id, confidence_score, processing_time_ms)
SELECT :task::bigint, id, 0.9, :work_ms::int FROM ai_models ORDER BY id LIMIT 1;
\endif
COMMIT;
