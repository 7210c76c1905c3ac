-- what: a tenant reads its rows: the policy picks them
-- servers: 14..
-- variables: schema, table, role, setting, tenant
SET LOCAL row_security = on;
SET LOCAL ROLE :"role";
SELECT set_config(:'setting', :'tenant', true);
EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) SELECT * FROM :"schema".:"table";
