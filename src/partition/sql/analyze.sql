-- what: statistics of a partitioned table as a whole
-- servers: 14..
-- variables: schema, table
ANALYZE :"schema".:"table";
