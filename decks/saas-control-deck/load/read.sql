-- What the pages of a project's owner ask for. For pgbench, as `pgdeck demo --keep` runs it.
-- weight: 12
\set key random(0, 4294967295)
\set kind random(1, 10)
SELECT id AS project, owner_id AS person FROM (
    (SELECT id, owner_id, 1 AS choice FROM projects
      WHERE id >= (lpad(to_hex(:key::bigint), 8, '0') || '-0000-4000-8000-000000000000')::uuid
      ORDER BY id LIMIT 1)
    UNION ALL (SELECT id, owner_id, 2 FROM projects ORDER BY id LIMIT 1)) AS found
 ORDER BY choice LIMIT 1 \gset
SELECT id, client_address, user_agent, created_at, last_seen_at, expires_at
  FROM user_sessions
 WHERE user_id = :person::uuid AND expires_at > now()
 ORDER BY expires_at DESC, id;
BEGIN;
SELECT set_config('app.tenant', :project::text, true);
SELECT id, project_id, task_name, status, created_at, completed_at
  FROM ai_tasks
 WHERE user_id = :person::uuid
 ORDER BY created_at DESC, id DESC
 LIMIT 20;
COMMIT;
SELECT id, kind, title, payload, created_at
  FROM notifications
 WHERE user_id = :person::uuid AND read_at IS NULL
 ORDER BY created_at DESC, id DESC
 LIMIT 50;
\if :kind = 1
SELECT created_at, service_name, log_level, message, context
  FROM system_logs
 WHERE log_level IN ('ERROR', 'CRITICAL') AND created_at >= now() - interval '7 days'
 ORDER BY created_at DESC, id DESC
 LIMIT 100;
\endif
