-- what: gives a database to another role
-- servers: 14..
-- variables: database, role
ALTER DATABASE :"database" OWNER TO :"role";
