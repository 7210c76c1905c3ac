-- what: lets a database in only those who have a right of their own
-- servers: 14..
-- variables: rights, database
REVOKE :rights ON DATABASE :"database" FROM PUBLIC;
