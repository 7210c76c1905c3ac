-- what: the session that makes and drops a copy bears its name
-- servers: 14..
-- $1 name text
SELECT set_config('application_name', $1, false)
