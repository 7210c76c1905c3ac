-- what: what pg_stat_statements counted in this database, the most time first
-- servers: 14..
-- variables: schema
SELECT s.queryid::text, s.query, sum(s.calls)::float8 AS calls,
       sum(s.total_exec_time)::float8 AS total_ms, sum(s.rows)::float8 AS rows,
       bool_or(s.query = '<insufficient privilege>') AS is_hidden
  FROM :schema.pg_stat_statements(true) AS s
 WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
   AND (s.query = '<insufficient privilege>'
        OR s.query ~* '^[\s(]*(--|/\*|select|insert|update|delete|with|merge|table|values)')
 GROUP BY s.queryid, s.query
 ORDER BY sum(s.total_exec_time) DESC
 LIMIT 2000
