-- what: lets pg_monitor connect
-- servers: 14..
-- variables: database
GRANT CONNECT ON DATABASE :"database" TO pg_monitor
