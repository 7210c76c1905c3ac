-- what: takes back the database's own search_path
-- servers: 14..
-- variables: database
ALTER DATABASE :"database" RESET search_path
