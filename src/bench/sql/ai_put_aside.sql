-- what: in a database of pgdeck's own: ends the tasks that wait or run, so that only the benchmark's are there
-- servers: 14..
-- needs: decks/saas-control-deck/schema.sql
-- returns: nothing
WITH queue AS (DELETE FROM ai_task_queue)
UPDATE ai_tasks
   SET status = 'cancelled', completed_at = greatest(now(), created_at, started_at),
       updated_at = now()
 WHERE status IN ('pending', 'running');
