-- what: how many rows of a table the planner expects a condition to hold for
-- servers: 14..
-- variables: schema table predicate
EXPLAIN (FORMAT JSON) SELECT FROM ONLY :"schema".:"table" WHERE :predicate
