-- what: a new task, and its row in the queue
-- servers: 14..
-- needs: decks/saas-control-deck/schema.sql
-- $1 project uuid
-- $2 user uuid
-- $3 name text
-- $4 priority smallint
-- $5 input jsonb
-- returns: nothing
WITH task AS (
    INSERT INTO ai_tasks (project_id, user_id, task_name, task_type, priority, input_data)
    VALUES ($1, $2, $3, 'pgdeck bench', $4, $5)
    RETURNING id, priority
)
INSERT INTO ai_task_queue (task_id, priority)
SELECT id, priority
  FROM task;
