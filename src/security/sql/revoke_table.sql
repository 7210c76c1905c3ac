-- what: takes rights on one table back
-- servers: 14..
-- variables: rights, schema, table, role
REVOKE :rights ON TABLE :"schema".:"table" FROM :"role";
