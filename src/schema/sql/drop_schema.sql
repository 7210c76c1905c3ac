-- what: drops a schema
-- servers: 14..
-- variables: name
DROP SCHEMA IF EXISTS :"name";
