-- what: takes back the columns that a health check or view could read
-- servers: 14..
-- variables: columns, schema, table
REVOKE SELECT (:columns) ON :"schema".:"table" FROM pg_monitor
