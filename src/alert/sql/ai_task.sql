-- what: what the AI tasks of the last hour came to
-- servers: 14..18
SELECT status, count(*), max(completed_at - coalesce(started_at, created_at)) AS longest
  FROM public.ai_tasks
 WHERE created_at > now() - interval '1 hour'
 GROUP BY status
 ORDER BY 2 DESC;
