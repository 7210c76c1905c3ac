-- what: the schema of the views and health checks
-- servers: 14..
CREATE SCHEMA IF NOT EXISTS monitoring;
COMMENT ON SCHEMA monitoring IS 'views and health checks, made by pgdeck; readable with pg_monitor';
GRANT USAGE ON SCHEMA monitoring TO pg_monitor
