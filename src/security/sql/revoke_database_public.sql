-- what: takes rights on a database from everybody
-- servers: 14..
-- variables: rights, database
REVOKE :rights ON DATABASE :"database" FROM PUBLIC;
