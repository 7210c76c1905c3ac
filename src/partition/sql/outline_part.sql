-- what: one partition, for the plan
-- servers: 14..
-- variables: schema, table, name, bound
CREATE TABLE :"schema".:"name" PARTITION OF :"schema".:"table" :bound;
