-- what: gives rights on a database to everybody
-- servers: 14..
-- variables: rights, database
GRANT :rights ON DATABASE :"database" TO PUBLIC;
