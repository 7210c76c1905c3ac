-- what: how many sessions do or wait for the same
-- servers: 14..18
-- Grouped by the server, so that a thousand idle sessions are one row.
SELECT a.datid AS database_oid,
       a.state,
       CASE WHEN a.state = 'active' THEN a.wait_event_type END AS wait_type,
       CASE WHEN a.state = 'active' THEN a.wait_event END AS wait_event,
       CASE WHEN a.state = 'active' THEN a.query_id END AS query_id,
       a.backend_type = 'client backend' AS is_client,
       count(*) AS sessions,
       extract(epoch FROM pg_catalog.clock_timestamp() - min(a.xact_start)) AS transaction_s,
       extract(epoch FROM pg_catalog.clock_timestamp() - min(a.query_start)) AS query_s,
       extract(epoch FROM pg_catalog.clock_timestamp() - min(a.state_change)) AS state_s
  FROM pg_catalog.pg_stat_get_activity(NULL) AS a
 WHERE a.datid IS NOT NULL
   AND a.pid <> pg_catalog.pg_backend_pid()
 GROUP BY 1, 2, 3, 4, 5, 6;
