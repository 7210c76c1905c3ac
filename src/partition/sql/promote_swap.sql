-- what: makes a default partition one of a period, and an empty one the default, in one short transaction;
--       its CHECK says what its rows are, so none is read
-- servers: 14..
-- variables: schema, parent, table, name, owner, lower, upper
SET LOCAL synchronous_commit = off;
LOCK TABLE ONLY :"schema".:"parent" IN ACCESS EXCLUSIVE MODE;
SET LOCAL lock_timeout = '30ms';
LOCK TABLE ONLY :"schema".:"table" IN ACCESS EXCLUSIVE MODE;
ALTER TABLE :"schema".:"parent" DETACH PARTITION :"schema".:"table";
ALTER TABLE :"schema".:"table" RENAME TO :"name";
ALTER TABLE :"schema".:"parent" ATTACH PARTITION :"schema".:"name" FOR VALUES FROM (:'lower') TO (:'upper');
ALTER TABLE :"schema".:"name" DROP CONSTRAINT pgdeck_promoted;
CREATE TABLE :"schema".:"table" PARTITION OF :"schema".:"parent" DEFAULT;
ALTER TABLE :"schema".:"table" OWNER TO :"owner"
