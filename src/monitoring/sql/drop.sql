-- what: removes one object of the schema monitoring; never what hangs on it
-- servers: 14..
-- variables: kind, name
DROP :kind IF EXISTS monitoring.:name
