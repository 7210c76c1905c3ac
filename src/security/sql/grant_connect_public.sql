-- what: lets everybody connect to a database
-- servers: 14..
-- variables: rights, database
GRANT :rights ON DATABASE :"database" TO PUBLIC;
