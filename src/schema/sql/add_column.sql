-- what: adds a column as the deck defines it
-- servers: 14..
-- variables: schema, table, definition
ALTER TABLE :"schema".:"table" ADD COLUMN :definition;
