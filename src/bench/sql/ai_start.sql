-- what: the last task, and how many wait or run
-- servers: 14..
-- needs: decks/saas-control-deck/schema.sql
-- returns: one row
SELECT coalesce(max(id), 0) AS last,
       count(*) FILTER (WHERE status IN ('pending', 'running')) AS active
  FROM ai_tasks;
