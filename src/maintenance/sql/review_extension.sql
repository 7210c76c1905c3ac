-- what: the schema of pg_stat_statements, if it can be read
-- servers: 14..
-- returns: schema
SELECT n.nspname AS schema
  FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
 WHERE e.extname = 'pg_stat_statements'
   AND current_setting('shared_preload_libraries') LIKE '%pg\_stat\_statements%'
