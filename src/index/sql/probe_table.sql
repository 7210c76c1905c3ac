-- what: an empty copy of a table's columns, of the same name, to build indexes on
-- servers: 14..
-- variables: schema, table
CREATE TEMPORARY TABLE pg_temp.:"table" (LIKE :"schema".:"table");
