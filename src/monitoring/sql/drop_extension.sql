-- what: removes the extension that statement statistics come from; they themselves stay in memory
-- servers: 14..
DROP EXTENSION IF EXISTS pg_stat_statements
