-- what: gives a role rights on the tables and sequences that the owner will make
-- servers: 14..
-- variables: owner, rights, sequence_rights, schema, role
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA :"schema"
    GRANT :rights ON TABLES TO :"role";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA :"schema"
    GRANT :sequence_rights ON SEQUENCES TO :"role";
