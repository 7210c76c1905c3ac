-- what: drops a function or procedure by its name, which must not be overloaded
-- servers: 14..
-- variables: schema, name
DROP ROUTINE IF EXISTS :"schema".:"name";
