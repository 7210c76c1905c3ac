-- what: says what the rows of the old table are, and will be
-- servers: 14..
-- variables: schema, table, column, until
ALTER TABLE :"schema".:"table" ADD CONSTRAINT pgdeck_until CHECK (:"column" < :'until') NOT VALID
