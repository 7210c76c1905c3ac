-- what: drops an index without stopping readers and writers
-- servers: 14..
-- variables: schema, name
DROP INDEX CONCURRENTLY IF EXISTS :"schema".:"name";
