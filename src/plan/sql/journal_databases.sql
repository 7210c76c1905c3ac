-- what: databases of this server in which an apply may have left a journal
-- servers: 14..
SELECT datname AS name FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname
