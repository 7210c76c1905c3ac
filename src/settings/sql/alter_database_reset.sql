-- what: takes that back
-- servers: 14..
-- variables: database, name
ALTER DATABASE :"database" RESET :name;
