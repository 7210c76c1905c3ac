-- what: runs a statement on a copy and tells how long it took and what it used
-- servers: 14..
-- variables: statement
EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) :statement
