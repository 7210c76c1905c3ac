-- what: takes that back
-- servers: 14..
-- variables: owner, rights, sequence_rights, schema, role
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA :"schema"
    REVOKE :sequence_rights ON SEQUENCES FROM :"role";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA :"schema"
    REVOKE :rights ON TABLES FROM :"role";
