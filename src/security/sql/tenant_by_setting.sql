-- what: a tenant that has rows in a table, and who reads them
-- servers: 14..
-- variables: schema, table, column, role
SELECT :"column"::text AS tenant, :'role' AS role FROM :"schema".:"table" LIMIT 1;
