-- what: claims one task in ai_tasks itself, and waits for whoever holds it
-- servers: 14..
-- needs: decks/saas-control-deck/schema.sql
-- $1 count integer
-- $2 worker text
-- $3 lease_s integer
-- returns: id, due_ns, run_us
UPDATE ai_tasks
   SET status = 'running', started_at = greatest(created_at, now()), updated_at = now()
 WHERE status = 'pending'
   AND id = (SELECT id
               FROM ai_tasks
              WHERE status = 'pending' AND task_type = 'pgdeck bench'
              ORDER BY created_at
              LIMIT $1
                FOR UPDATE)
RETURNING id, input_data->>'due_ns' AS due_ns, input_data->>'run_us' AS run_us;
