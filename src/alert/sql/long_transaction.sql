-- what: ends transactions that are open for 30 minutes and idle; shows those at work, which
-- pg_terminate_backend(pid) would end
-- servers: 14..18
SELECT pid, usename, datname, application_name, state, now() - xact_start AS age,
       CASE WHEN state LIKE 'idle in transaction%' AND xact_start < now() - interval '30 minutes'
            THEN pg_terminate_backend(pid) END AS ended,
       left(query, 200) AS query
  FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
 ORDER BY xact_start
 LIMIT 10;
