-- what: what the sessions that run something wait for at this moment, but our own; those of other
-- programs, known by their application_name, apart
-- servers: 14..
-- returns: is_other, type, event ("CPU" and "": nothing, it runs), sessions
SELECT backend_type = 'client backend'
       AND application_name NOT IN (current_setting('application_name'), 'pgdeck bench') AS is_other,
       coalesce(wait_event_type, 'CPU') AS type, coalesce(wait_event, '') AS event,
       count(*) AS sessions
FROM pg_stat_activity
WHERE state = 'active' AND pid <> pg_backend_pid()
  AND backend_type IN ('client backend', 'parallel worker')
GROUP BY 1, 2, 3;
