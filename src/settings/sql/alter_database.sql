-- what: a parameter for the sessions of a database
-- servers: 14..
-- variables: database, name, values (literals)
ALTER DATABASE :"database" SET :name = :values;
