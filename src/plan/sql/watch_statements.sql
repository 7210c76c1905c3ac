-- what: calls and time of each statement so far, in all databases
-- servers: 14..
-- variables: schema
SELECT s.dbid::text || '/' || s.queryid::text AS key, sum(s.calls)::float8 AS calls,
       sum(s.total_exec_time)::float8 AS total_ms
  FROM :schema.pg_stat_statements(false) AS s
 WHERE s.queryid IS NOT NULL
 GROUP BY s.dbid, s.queryid
 ORDER BY s.dbid::text || '/' || s.queryid::text COLLATE "C"
