-- what: rights of a role on a schema
-- servers: 14..
-- variables: rights, schema, role
GRANT :rights ON SCHEMA :"schema" TO :"role";
