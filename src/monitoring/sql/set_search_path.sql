-- what: the schemas in which unqualified names are looked for, in new sessions of a database
-- servers: 14..
-- variables: database, path
ALTER DATABASE :"database" SET search_path = :path
