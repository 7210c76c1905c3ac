-- what: looks whether all rows keep to a foreign key; readers and writers go on
-- servers: 14..
-- variables: schema, table, name
ALTER TABLE :"schema".:"table" VALIDATE CONSTRAINT :"name"
