-- what: what the AI tasks of the last hour failed of, the most frequent first
-- servers: 14..18
SELECT count(*) AS failed, max(t.completed_at) AS last_at,
       left(to_jsonb(t) ->> 'error_message', 100) AS error, to_jsonb(t) ->> 'task_type' AS task_type,
       max(to_jsonb(t) ->> 'id') AS example_id
  FROM public.ai_tasks AS t
 WHERE t.created_at > now() - interval '1 hour' AND t.status = 'failed'
 GROUP BY 3, 4
 ORDER BY 1 DESC
 LIMIT 20;
