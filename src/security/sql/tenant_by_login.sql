-- what: a tenant that has a login and rows in a table, whose column may be of another type
-- servers: 14..
-- variables: schema, table, column
SELECT l.tenant::text AS tenant, l.role FROM tenants.login AS l JOIN pg_roles AS r ON r.rolname = l.role
 WHERE EXISTS (SELECT FROM :"schema".:"table" AS t WHERE t.:"column"::text = l.tenant::text) LIMIT 1;
