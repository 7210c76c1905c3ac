-- what: lets a role read and write one table
-- servers: 14..
-- variables: rights, schema, table, role
GRANT :rights ON TABLE :"schema".:"table" TO :"role";
