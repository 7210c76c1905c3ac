-- what: lets a database in only those who have a right of their own
-- servers: 14..
-- variables: database
REVOKE CONNECT ON DATABASE :"database" FROM PUBLIC;
