-- what: scans of each index of people's tables, of a partitioned one of all its parts together, and
--       the time
-- servers: 14..
SELECT now()::text AS taken_at, current_database() AS database, s.schema, s.name,
       sum(s.scans)::float8 AS scans
  FROM (SELECT) AS always
  LEFT JOIN (SELECT n.nspname AS schema, c.relname AS name, i.idx_scan AS scans
               FROM pg_stat_user_indexes i
               JOIN pg_class c
                 ON c.oid = coalesce(pg_partition_root(i.indexrelid), i.indexrelid)
               JOIN pg_namespace n ON n.oid = c.relnamespace) AS s ON true
 GROUP BY s.schema, s.name
 ORDER BY 3, 4
