-- what: removes the schema of the views and health checks when nothing is in it
-- servers: 14..
DROP SCHEMA IF EXISTS monitoring
