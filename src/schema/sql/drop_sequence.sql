-- what: drops a sequence
-- servers: 14..
-- variables: schema, name
DROP SEQUENCE IF EXISTS :"schema".:"name";
