-- what: the same by who is no superuser: forced row-level security would hide the rows from the
--       look at them; nobody reads or writes meanwhile, so nobody sees a row without it
-- servers: 14..
-- variables: schema, table, name, to_schema, to_table
ALTER TABLE :"schema".:"table" NO FORCE ROW LEVEL SECURITY;
ALTER TABLE :"to_schema".:"to_table" NO FORCE ROW LEVEL SECURITY;
ALTER TABLE :"schema".:"table" VALIDATE CONSTRAINT :"name";
ALTER TABLE :"schema".:"table" FORCE ROW LEVEL SECURITY;
ALTER TABLE :"to_schema".:"to_table" FORCE ROW LEVEL SECURITY
