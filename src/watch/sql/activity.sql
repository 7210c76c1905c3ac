-- what: how many sessions do or wait for the same
-- servers: 14..18
-- Grouped by the server, so that a thousand idle sessions are one row. pid, role and application are
-- of the one that has run longest. Without pg_read_all_stats only role, database and application of
-- the sessions of others are to be seen, so all count as clients.
SELECT a.datid AS database_oid,
       a.state,
       CASE WHEN a.state = 'active' THEN a.wait_event_type END AS wait_type,
       CASE WHEN a.state = 'active' THEN a.wait_event END AS wait_event,
       CASE WHEN a.state = 'active' THEN a.query_id END AS query_id,
       coalesce(a.backend_type = 'client backend', true) AS is_client,
       count(*) AS sessions,
       (array_agg(a.pid ORDER BY a.query_start) FILTER (WHERE a.state = 'active'))[1] AS pid,
       (array_agg(a.usesysid ORDER BY a.query_start) FILTER (WHERE a.state = 'active'))[1]
           AS role_oid,
       (array_agg(a.application_name ORDER BY a.query_start) FILTER (WHERE a.state = 'active'))[1]
           AS application,
       extract(epoch FROM pg_catalog.clock_timestamp() - min(a.xact_start)) AS transaction_s,
       extract(epoch FROM pg_catalog.clock_timestamp() - min(a.query_start)) AS query_s,
       extract(epoch FROM pg_catalog.clock_timestamp() - min(a.state_change)) AS state_s
  FROM pg_catalog.pg_stat_get_activity(NULL) AS a
 WHERE a.datid IS NOT NULL
   AND a.pid <> pg_catalog.pg_backend_pid()
 GROUP BY 1, 2, 3, 4, 5, 6;
