-- what: drops a view
-- servers: 14..
-- variables: schema, name
DROP VIEW IF EXISTS :"schema".:"name";
