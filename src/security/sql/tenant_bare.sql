-- what: the same rows without a policy: the query picks them. The statements before it are those of
--       tenant_guarded, so that the CPU time of both is that of the query
-- servers: 14..
-- variables: schema, table, column, setting, tenant
SET LOCAL row_security = on;
SET LOCAL ROLE NONE;
SELECT set_config(:'setting', :'tenant', true);
EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON)
SELECT * FROM :"schema".:"table" WHERE :"column" = :'tenant';
