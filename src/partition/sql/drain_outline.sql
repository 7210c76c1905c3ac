-- what: what draining a default partition does, for the plan
-- servers: 14..
-- variables: schema, parent, table, shadow

-- 1. beside it, a partition for each period of its rows:
:shadow;
-- 2. a trigger logs the key of each row of :"schema".:"table" that changes; its rows are copied, the log is
--    replayed until it is short, and both are compared
-- 3. in one short transaction:
ALTER TABLE :"schema".:"parent" DETACH PARTITION :"schema".:"table";
-- ... and ATTACH PARTITION of each, which reads no row: a CHECK says what they have
