-- what: sessions in this database but ours
-- servers: 14..
-- returns: others
SELECT count(*) AS others
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend';
