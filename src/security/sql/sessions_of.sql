-- what: who is logged in as a role, and whether it is there
-- servers: 14..
-- $1 role text
-- returns: one row
SELECT count(*) AS sessions, coalesce(string_agg(DISTINCT format('%s from %s',
       coalesce(nullif(application_name, ''), '?'), coalesce(host(client_addr), 'the socket')), ', '),
       '') AS names,
       EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS is_there
  FROM pg_stat_activity WHERE usename = $1
