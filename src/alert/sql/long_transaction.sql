-- what: the oldest transactions; pg_terminate_backend(pid) ends one
-- servers: 14..18
SELECT pid, usename, state, now() - xact_start AS age, query
  FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
 ORDER BY xact_start
 LIMIT 10;
