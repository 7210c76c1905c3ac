-- what: whether the lock of a concurrent build can be had now; let go of at once
-- servers: 14..
-- variables: schema, table
BEGIN;
LOCK TABLE :"schema".:"table" IN SHARE UPDATE EXCLUSIVE MODE;
COMMIT;
