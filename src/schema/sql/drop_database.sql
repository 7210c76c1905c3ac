-- what: drops a database
-- servers: 14..
-- variables: name
DROP DATABASE IF EXISTS :"name";
