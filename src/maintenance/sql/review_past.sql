-- what: what was done in the last month
-- servers: 14..
-- returns: task, times, failed, seconds
SELECT task, count(*)::text AS times, count(*) FILTER (WHERE state = 'failed')::text AS failed,
       round(coalesce(sum(extract(epoch FROM finished_at - started_at)), 0), 1)::text AS seconds
  FROM pgdeck.maintenance_task
 WHERE started_at > now() - interval '1 month'
 GROUP BY task ORDER BY task
