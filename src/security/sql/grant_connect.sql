-- what: lets a role connect to a database
-- servers: 14..
-- variables: database, role
GRANT CONNECT ON DATABASE :"database" TO :"role";
