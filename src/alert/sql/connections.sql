-- what: ends the sessions that have been idle for ten minutes, or idle in a transaction
-- servers: 14..18
SELECT pid, usename, datname, application_name, state, pg_terminate_backend(pid) AS ended
  FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND application_name NOT LIKE 'pgdeck%'
   AND state IN ('idle', 'idle in transaction', 'idle in transaction (aborted)')
   AND state_change < now() - interval '10 minutes';
