-- what: takes that back
-- servers: 14..
-- variables: database, role
REVOKE CONNECT ON DATABASE :"database" FROM :"role";
