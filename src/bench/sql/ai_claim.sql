-- what: claims tasks in the queue of ids by a lease, and fetches what they are
-- servers: 14..
-- needs: decks/saas-control-deck/schema.sql
-- $1 count integer
-- $2 worker text
-- $3 lease_s integer
-- returns: id, due_ns, run_us; the last two only for the benchmark's own tasks
WITH claimed AS (
    UPDATE ai_task_queue
       SET lease_until = now() + $3 * interval '1 s', worker = $2, attempt = attempt + 1
     WHERE task_id = ANY (ARRAY (SELECT task_id
                                   FROM ai_task_queue
                                  WHERE lease_until IS NULL OR lease_until < now()
                                  ORDER BY priority DESC, task_id
                                  LIMIT $1
                                    FOR UPDATE SKIP LOCKED))
    RETURNING task_id
)
SELECT t.id, t.input_data->>'due_ns' AS due_ns, t.input_data->>'run_us' AS run_us
  FROM claimed c
  JOIN ai_tasks t ON t.id = c.task_id
 WHERE t.status IN ('pending', 'running');
