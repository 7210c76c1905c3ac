-- what: the plan of a statement, which is not run
-- servers: 14..
-- variables: statement
EXPLAIN (FORMAT JSON) :statement
