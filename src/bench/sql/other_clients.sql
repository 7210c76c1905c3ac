-- what: server processes of all clients but ours, in whatever database
-- servers: 14..
-- returns: pid
SELECT pid
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid();
