-- what: who asks for verifiers may connect, find the function and call it
-- servers: 14..
-- variables: database, role
GRANT CONNECT ON DATABASE :"database" TO :"role";
GRANT USAGE ON SCHEMA pgdeck TO :"role";
GRANT EXECUTE ON FUNCTION pgdeck.pool_login(text) TO :"role";
