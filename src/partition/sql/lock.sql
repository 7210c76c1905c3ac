-- what: keeps everyone away from a table until the end of the transaction
-- servers: 14..
-- variables: schema, table
LOCK TABLE :"schema".:"table" IN ACCESS EXCLUSIVE MODE;
