-- what: what became of the benchmark's tasks
-- servers: 14..
-- needs: decks/saas-control-deck/schema.sql
-- $1 last bigint: the last task before
-- returns: one row
SELECT count(*) AS tasks, count(*) FILTER (WHERE t.status = 'completed') AS completed,
       count(*) FILTER (WHERE t.status IN ('pending', 'running')) AS active,
       count(*) FILTER (WHERE t.status = 'completed' AND coalesce(r.results, 0) = 0) AS lost,
       count(*) FILTER (WHERE r.results > 1) AS doubled
  FROM ai_tasks t
  LEFT JOIN (SELECT task_id, count(*) AS results
               FROM ai_results
              WHERE task_id > $1
              GROUP BY task_id) r ON r.task_id = t.id
 WHERE t.id > $1;
