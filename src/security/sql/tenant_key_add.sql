-- what: a foreign key that looks at new rows only, until it is validated
-- servers: 14..
-- variables: schema, table, name, definition
ALTER TABLE :"schema".:"table" ADD CONSTRAINT :"name" :definition NOT VALID
