-- what: drops an index
-- servers: 14..
-- variables: schema, name
DROP INDEX IF EXISTS :"schema".:"name";
