-- what: what making a table in use a partition of a new one does, for the plan
-- servers: 14..
-- variables: schema, table, history, column, until, shadow, indexes

-- 1. an empty partitioned table beside it:
:shadow;
:indexes;
-- 2. beside each unique key without the column CREATE UNIQUE INDEX CONCURRENTLY: one with it, and a
--    second one like the key itself, for the way back
-- 3. what its rows are, which is then checked while clients read and write:
ALTER TABLE :"schema".:"table" ADD CONSTRAINT pgdeck_until CHECK (:"column" < :'until') NOT VALID;
ALTER TABLE :"schema".:"table" VALIDATE CONSTRAINT pgdeck_until;
-- 4. in one short transaction it goes under the new table, which gets its name; triggers, identity,
--    publications and views come along:
ALTER TABLE :"schema".:"table" RENAME TO :"history";
ALTER TABLE :"schema".:"table" ATTACH PARTITION :"schema".:"history" FOR VALUES FROM (MINVALUE) TO (:'until');
