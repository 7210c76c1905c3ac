-- what: the schema of pg_stat_statements, when it is in this database and loaded; else no row
-- servers: 14..
SELECT quote_ident(n.nspname) AS schema
  FROM pg_extension e
  JOIN pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname = 'pg_stat_statements'
   AND current_setting('pg_stat_statements.max', true) IS NOT NULL
