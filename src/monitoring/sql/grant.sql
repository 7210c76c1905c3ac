-- what: the columns that a health check or view has to read
-- servers: 14..
-- variables: columns, schema, table
GRANT SELECT (:columns) ON :"schema".:"table" TO pg_monitor
