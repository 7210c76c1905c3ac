-- what: queries that run for long
-- servers: 14..
-- $1 idle_minutes integer (not used here), $2 query_minutes integer
-- returns: severity, text, what, how, pid, backend_start, sql
SELECT 'warning' AS severity,
       format('%s of %s on %s has run for %s: %s',
              coalesce(nullif(a.application_name, ''), 'a session'), a.usename, a.datname,
              date_trunc('second', clock_timestamp() - a.query_start), left(a.query, 100)) AS text,
       format('cancel the query of session %s', a.pid) AS what, 'cancel' AS how,
       a.pid::text AS pid, a.backend_start::text AS backend_start, NULL AS sql
  FROM pg_stat_activity AS a
 WHERE a.backend_type = 'client backend' AND a.state = 'active' AND $1::integer IS NOT NULL
   AND a.pid <> pg_backend_pid()
     AND a.application_name
         !~* '^(pgdeck|pgbackrest|barman|wal-g|pg_dump|pg_basebackup|pg_probackup)'
   AND a.wait_event_type IS DISTINCT FROM 'Lock' -- those wait for the head of their chain
   AND a.wait_event IS DISTINCT FROM 'SyncRep' -- has committed; its cancel would hide that no standby has it
   AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum AS v WHERE v.pid = a.pid)
   AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS i WHERE i.pid = a.pid)
   AND clock_timestamp() - a.query_start >= $2::integer * interval '1 minute'
 ORDER BY a.query_start
 LIMIT 20
