-- what: claims tasks in the queue of ids by a lease, and fetches what they are; looks only from the
--   floor of their priority on, so that the remains of ended tasks, which pile up while a
--   snapshot is open, are passed over; each task is looked up by its key: a list that the
--   planner could read would let it take the index of waiting tasks while it thinks that one empty
-- servers: 14..
-- needs: decks/saas-control-deck/schema.sql
-- $1 count integer
-- $2 worker text
-- $3 lease_s integer
-- $4 floors bigint[]: places, of priority 9, 8 ... 0
-- returns: id, due_ns, run_us (the two only for those that arrive on the schedule), priority,
--   place; of the benchmark's own tasks only: another's stays waiting, and its lease is given back
WITH claimed AS (
    UPDATE ai_task_queue
       SET lease_until = now() + $3 * interval '1 s', worker = $2, attempt = attempt + 1
     WHERE task_id = ANY (ARRAY (SELECT q.task_id
                                   FROM unnest($4::bigint[]) WITH ORDINALITY f(floor, number),
                                        LATERAL (SELECT task_id
                                                   FROM ai_task_queue
                                                  WHERE priority = 10 - f.number
                                                    AND place >= f.floor
                                                    AND (lease_until IS NULL
                                                         OR lease_until < now())
                                                  ORDER BY place
                                                  LIMIT $1
                                                    FOR UPDATE SKIP LOCKED) q
                                  LIMIT $1))
    RETURNING task_id, priority, place
)
SELECT t.id, t.input_data->>'due_ns' AS due_ns, t.input_data->>'run_us' AS run_us, c.priority,
       c.place
  FROM claimed c,
       LATERAL (SELECT id, input_data
                  FROM ai_tasks
                 WHERE id = c.task_id AND status = ANY (ARRAY (VALUES ('pending'), ('running')))
                   AND task_type = 'pgdeck bench'
                 LIMIT 1) t;
