-- what: whether AI tasks wait for workers or run long, by state, over the last hour
-- servers: 14..18
SELECT t.status, count(*),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY t.started_at - t.created_at) AS p95_waits,
       percentile_cont(0.95) WITHIN GROUP (
           ORDER BY coalesce(t.completed_at, now()) - t.started_at) AS p95_runs,
       max(now() - t.created_at) FILTER (WHERE t.completed_at IS NULL) AS oldest_open
  FROM public.ai_tasks AS t
 WHERE t.created_at > now() - interval '1 hour'
 GROUP BY t.status
 ORDER BY 2 DESC;
