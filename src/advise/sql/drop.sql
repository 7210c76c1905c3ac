-- what: takes an advised index back; kind is INDEX, or INDEX CONCURRENTLY, which PostgreSQL refuses
--       for one of a partitioned table
-- servers: 14..
-- variables: kind, name
DROP :kind :name
