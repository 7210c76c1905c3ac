-- what: the texts of some statements, and the names of their roles
-- servers: 14..18
-- variables: schema
SELECT s.dbid AS database_oid, s.userid AS role_oid, s.queryid AS query_id,
       min(left(s.query, 4000)) AS query, min(r.rolname) AS role
  FROM :"schema".pg_stat_statements(true) AS s
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.userid
 WHERE s.queryid = ANY (CAST($1 AS bigint[]))
 GROUP BY 1, 2, 3
