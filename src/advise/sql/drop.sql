-- what: takes an advised index back
-- servers: 14..
-- variables: name
DROP INDEX CONCURRENTLY :name
