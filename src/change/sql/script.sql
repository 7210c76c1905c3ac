-- what: statements whose unqualified names are those of one schema; within a transaction
-- servers: 14..
-- variables: schema, body
SET LOCAL search_path = :"schema", pg_temp;
:body
