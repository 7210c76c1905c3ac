-- what: removes the benchmark's tasks
-- servers: 14..
-- needs: decks/saas-control-deck/schema.sql
-- $1 last bigint: the last task before
-- returns: nothing
WITH queue AS (DELETE FROM ai_task_queue WHERE task_id > $1),
     results AS (DELETE FROM ai_results WHERE task_id > $1)
DELETE FROM ai_tasks
 WHERE id > $1 AND task_type = 'pgdeck bench';
