-- what: scans of each index of people's tables, and the time
-- servers: 14..
SELECT now()::text AS taken_at, current_database() AS database,
       s.schemaname AS schema, s.indexrelname AS name, s.idx_scan::float8 AS scans
  FROM (SELECT) AS always
  LEFT JOIN pg_stat_user_indexes s ON true
 ORDER BY 3, 4
