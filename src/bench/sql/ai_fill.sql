-- what: tasks that wait, each with its row in the queue
-- servers: 14..
-- needs: decks/saas-control-deck/schema.sql
-- $1 count integer
-- returns: nothing
WITH task AS (
    INSERT INTO ai_tasks (project_id, user_id, task_name, task_type, priority, input_data,
                          created_at)
    SELECT p.id, p.owner_id, 'Summarize incoming invoices', 'pgdeck bench', i % 10,
           format('{"dataset": "ds-%s", "source": "upload", "language": "en", "documents": %s, '
                  '"prompt": "Look at the incoming invoices and say what has changed since the '
                  'last run", "parameters": {"temperature": 0.5, "max_tokens": 512, "stream": '
                  'false}}', i % 20000, i % 200)::jsonb,
           now() + i * interval '1 us'
      FROM generate_series(1, $1::integer) i,
           LATERAL (SELECT id, owner_id FROM projects ORDER BY created_at, id LIMIT 1) p
    RETURNING id, priority
)
INSERT INTO ai_task_queue (task_id, priority)
SELECT id, priority
  FROM task
 ORDER BY id;
