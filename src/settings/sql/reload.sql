-- what: lets the server read its configuration again
-- servers: 14..
SELECT pg_reload_conf();
