-- what: takes a foreign key away
-- servers: 14..
-- variables: schema, table, name
ALTER TABLE :"schema".:"table" DROP CONSTRAINT IF EXISTS :"name"
