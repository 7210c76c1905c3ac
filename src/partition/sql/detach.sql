-- what: takes a partition out of its table; how: CONCURRENTLY, FINALIZE or nothing
-- servers: 14..
-- variables: parent_schema, parent, schema, table, how
ALTER TABLE :"parent_schema".:"parent" DETACH PARTITION :"schema".:"table" :how;
