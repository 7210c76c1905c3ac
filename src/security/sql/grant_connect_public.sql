-- what: lets everybody connect to a database
-- servers: 14..
-- variables: database
GRANT CONNECT ON DATABASE :"database" TO PUBLIC;
