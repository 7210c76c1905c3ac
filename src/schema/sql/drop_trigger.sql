-- what: drops a trigger
-- servers: 14..
-- variables: schema, table, name
DROP TRIGGER IF EXISTS :"name" ON :"schema".:"table";
