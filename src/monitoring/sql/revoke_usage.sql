-- what: takes that back
-- servers: 14..
-- variables: schema
REVOKE USAGE ON SCHEMA :"schema" FROM pg_monitor
