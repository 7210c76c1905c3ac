-- what: takes back what pool_login_grant.sql gave
-- servers: 14..
-- variables: database, role
REVOKE EXECUTE ON FUNCTION pgdeck.pool_login(text) FROM :"role";
REVOKE USAGE ON SCHEMA pgdeck FROM :"role";
REVOKE CONNECT ON DATABASE :"database" FROM :"role";
