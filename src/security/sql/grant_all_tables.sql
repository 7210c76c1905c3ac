-- what: gives a role rights on all tables and sequences of a schema
-- servers: 14..
-- variables: rights, sequence_rights, schema, role
GRANT :rights ON ALL TABLES IN SCHEMA :"schema" TO :"role";
GRANT :sequence_rights ON ALL SEQUENCES IN SCHEMA :"schema" TO :"role";
