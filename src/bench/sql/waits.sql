-- what: what the sessions that run something wait for at this moment, but our own
-- servers: 14..
-- returns: type, event ("CPU" and "": nothing, it runs), sessions
SELECT coalesce(wait_event_type, 'CPU') AS type, coalesce(wait_event, '') AS event,
       count(*) AS sessions
FROM pg_stat_activity
WHERE state = 'active' AND pid <> pg_backend_pid()
  AND backend_type IN ('client backend', 'parallel worker')
GROUP BY 1, 2;
