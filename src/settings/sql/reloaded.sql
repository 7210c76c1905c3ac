-- what: parameters as the server has them now
-- servers: 14..
-- $1 names text[]
SELECT name, setting, source, pending_restart FROM pg_settings WHERE name = ANY ($1::text[])
