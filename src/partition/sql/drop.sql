-- what: drops a table or a partition
-- servers: 14..
-- variables: schema, table
DROP TABLE IF EXISTS :"schema".:"table";
