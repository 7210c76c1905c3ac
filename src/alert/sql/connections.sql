-- what: ends the sessions that have been idle for ten minutes
-- servers: 14..18
SELECT pid, usename, datname, application_name, pg_terminate_backend(pid)
  FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND state = 'idle'
   AND state_change < now() - interval '10 minutes';
