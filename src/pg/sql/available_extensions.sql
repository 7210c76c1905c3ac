-- what: extensions whose files are on the server
-- servers: 14..
SELECT name FROM pg_available_extensions ORDER BY name
