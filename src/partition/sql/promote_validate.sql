-- what: looks whether all rows of a default partition are so, while clients read and write
-- servers: 14..
-- variables: schema, table
ALTER TABLE :"schema".:"table" VALIDATE CONSTRAINT pgdeck_promoted
