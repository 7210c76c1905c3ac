-- what: the counters of all statements of a server, without their texts
-- servers: 14..18
-- variables: schema, since
SELECT s.dbid AS database_oid, s.userid AS role_oid, s.queryid AS query_id,
       s.userid = (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user)
           AS is_by_own_role,
       min(:since) AS counted_since, sum(s.calls) AS calls, sum(s.total_exec_time) AS ms,
       sum(s.rows) AS rows, sum(s.shared_blks_hit) AS hits, sum(s.shared_blks_read) AS reads,
       sum(s.calls * (s.stddev_exec_time ^ 2 + s.mean_exec_time ^ 2)) AS squares
  FROM :"schema".pg_stat_statements(false) AS s
 WHERE s.queryid IS NOT NULL
 GROUP BY 1, 2, 3
