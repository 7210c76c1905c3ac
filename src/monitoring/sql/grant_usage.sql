-- what: lets pg_monitor use a schema with tables that are looked at
-- servers: 14..
-- variables: schema
GRANT USAGE ON SCHEMA :"schema" TO pg_monitor
