-- what: a parameter for the sessions of a database
-- servers: 14..
-- variables: database, name, value
ALTER DATABASE :"database" SET :name = :'value';
