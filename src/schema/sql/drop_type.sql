-- what: drops a type
-- servers: 14..
-- variables: schema, name
DROP TYPE IF EXISTS :"schema".:"name";
