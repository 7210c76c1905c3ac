-- what: creates a database as the server's template has it
-- servers: 14..
-- variables: database, owner
CREATE DATABASE :"database" OWNER :"owner" ENCODING 'UTF8';
