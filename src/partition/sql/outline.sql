-- what: what converting a table that is not there yet will do, for the plan
-- servers: 14..
-- variables: schema, table, kind, column, partitions

-- the empty table is made anew with all that it has; its keys get the column:
CREATE TABLE :"schema".:"table" (LIKE ...) PARTITION BY :kind (:"column");
:partitions
