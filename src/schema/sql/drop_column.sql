-- what: drops a column
-- servers: 14..
-- variables: schema, table, column
ALTER TABLE :"schema".:"table" DROP COLUMN IF EXISTS :"column";
