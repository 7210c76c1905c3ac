-- what: takes that back
-- servers: 14..
-- variables: owner, schema, role
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA :"schema"
    REVOKE USAGE, SELECT ON SEQUENCES FROM :"role";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA :"schema"
    REVOKE SELECT, INSERT, UPDATE, DELETE ON TABLES FROM :"role";
