-- what: drops a table
-- servers: 14..
-- variables: schema, name
DROP TABLE IF EXISTS :"schema".:"name";
