-- what: takes that back
-- servers: 14..
-- variables: rights, sequence_rights, schema, role
REVOKE :sequence_rights ON ALL SEQUENCES IN SCHEMA :"schema" FROM :"role";
REVOKE :rights ON ALL TABLES IN SCHEMA :"schema" FROM :"role";
