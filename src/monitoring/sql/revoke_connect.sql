-- what: takes that back
-- servers: 14..
-- variables: database
REVOKE CONNECT ON DATABASE :"database" FROM pg_monitor
