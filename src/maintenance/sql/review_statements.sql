-- what: the statements of this database that take the most time
-- servers: 14..
-- variables: schema
-- returns: query, calls, mean_ms, total_s, share, rows
SELECT left(s.query, 400) AS query, s.calls::text AS calls,
       round(s.mean_exec_time::numeric, 2)::text AS mean_ms,
       round((s.total_exec_time / 1000)::numeric, 1)::text AS total_s,
       round((100 * s.total_exec_time / nullif(sum(s.total_exec_time) OVER (), 0))::numeric, 1)::text
         AS share, s.rows::text AS rows
  FROM :"schema".pg_stat_statements AS s
 WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
 ORDER BY s.total_exec_time DESC
 LIMIT 20
