-- what: what became of the benchmark's tasks, and how many of others came meanwhile
-- servers: 14..
-- needs: decks/saas-control-deck/schema.sql
-- $1 last bigint: the last task before
-- returns: one row; is_going_on: tasks were still being completed within the last two leases
SELECT count(*) FILTER (WHERE t.is_own) AS tasks,
       count(*) FILTER (WHERE t.is_own AND t.status = 'completed') AS completed,
       count(*) FILTER (WHERE t.is_own AND t.status IN ('pending', 'running')) AS active,
       count(*) FILTER (WHERE t.is_own AND t.status = 'completed' AND coalesce(r.results, 0) = 0) AS lost,
       count(*) FILTER (WHERE t.is_own AND r.results > 1) AS doubled,
       coalesce(max(t.completed_at) FILTER (WHERE t.is_own) > clock_timestamp() - interval '10 s',
                false) AS is_going_on,
       count(*) FILTER (WHERE NOT t.is_own) AS others
  FROM (SELECT id, status, completed_at, task_type = 'pgdeck bench' AS is_own
          FROM ai_tasks
         WHERE id > $1) t
  LEFT JOIN (SELECT task_id, count(*) AS results
               FROM ai_results
              WHERE task_id > $1
              GROUP BY task_id) r ON r.task_id = t.id;
