-- what: looks whether all rows are so, while clients read and write
-- servers: 14..
-- variables: schema, table
ALTER TABLE :"schema".:"table" VALIDATE CONSTRAINT pgdeck_until
