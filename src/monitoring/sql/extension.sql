-- what: statement statistics, in the schema of the views that read them
-- servers: 14..
CREATE EXTENSION pg_stat_statements SCHEMA monitoring
