-- what: says what the rows of a default partition are; others are refused from now on
-- servers: 14..
-- variables: schema, table, column, lower, upper
ALTER TABLE :"schema".:"table" ADD CONSTRAINT pgdeck_promoted
  CHECK (:"column" IS NOT NULL AND :"column" >= :'lower' AND :"column" < :'upper') NOT VALID
