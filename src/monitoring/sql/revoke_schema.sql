-- what: takes back the right to use the schema monitoring
-- servers: 14..
REVOKE USAGE ON SCHEMA monitoring FROM pg_monitor
