-- what: how long the AI tasks took that ended since, by the bounds of a histogram
-- servers: 14..18
-- $1 bounds_ms double precision[]
-- $2 since double precision
-- $3 until double precision
-- Those created in the last three hours only: they are found by an index on created_at.
SELECT pg_catalog.width_bucket(
           CAST(1000 * extract(epoch FROM t.completed_at - coalesce(t.started_at, t.created_at))
                AS double precision), CAST($1 AS double precision[])) AS bucket,
       count(*) FILTER (WHERE t.status <> 'failed') AS done,
       count(*) FILTER (WHERE t.status = 'failed') AS failed
  FROM public.ai_tasks AS t
 WHERE t.created_at > pg_catalog.now() - interval '3 hours'
   AND t.completed_at > pg_catalog.to_timestamp(CAST($2 AS double precision))
   AND t.completed_at <= pg_catalog.to_timestamp(CAST($3 AS double precision))
 GROUP BY 1;
