-- what: the generic plan of a prepared statement, made anew
-- servers: 14..
-- variables: name arguments
EXPLAIN (FORMAT JSON) EXECUTE :name :arguments
