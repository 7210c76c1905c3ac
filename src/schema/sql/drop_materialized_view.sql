-- what: drops a materialized view
-- servers: 14..
-- variables: schema, name
DROP MATERIALIZED VIEW IF EXISTS :"schema".:"name";
