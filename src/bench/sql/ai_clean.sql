-- what: removes the benchmark's tasks, and gives back what its workers leased of others'
-- servers: 14..
-- needs: decks/saas-control-deck/schema.sql
-- $1 last bigint: the last task before
-- returns: nothing
WITH own AS MATERIALIZED (
    SELECT id
      FROM ai_tasks
     WHERE id > $1 AND task_type = 'pgdeck bench'
), queue AS (
    DELETE FROM ai_task_queue WHERE task_id > $1 AND task_id IN (SELECT id FROM own)
), results AS (
    DELETE FROM ai_results WHERE task_id > $1 AND task_id IN (SELECT id FROM own)
), given_back AS (
    UPDATE ai_task_queue
       SET lease_until = NULL, worker = NULL
     WHERE worker LIKE 'pgdeck bench-%' AND task_id NOT IN (SELECT id FROM own)
)
DELETE FROM ai_tasks
 WHERE id > $1 AND task_type = 'pgdeck bench';
