-- what: where the server's configuration is, and a process of its own
-- servers: 14..
-- returns: one row
SELECT current_setting('config_file') AS config_file, pg_backend_pid() AS backend
