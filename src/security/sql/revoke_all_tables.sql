-- what: takes that back
-- servers: 14..
-- variables: schema, role
REVOKE USAGE, SELECT ON ALL SEQUENCES IN SCHEMA :"schema" FROM :"role";
REVOKE SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA :"schema" FROM :"role";
