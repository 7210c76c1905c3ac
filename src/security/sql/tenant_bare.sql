-- what: the same rows without a policy: the query picks them
-- servers: 14..
-- variables: schema, table, column, tenant
SET LOCAL ROLE NONE;
EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON)
SELECT * FROM :"schema".:"table" WHERE :"column" = :'tenant';
