-- what: takes them back
-- servers: 14..
-- variables: rights, schema, role
REVOKE :rights ON SCHEMA :"schema" FROM :"role";
