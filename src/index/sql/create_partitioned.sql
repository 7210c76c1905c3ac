-- what: what building an index on a partitioned table does, for the plan
-- servers: 14..
-- variables: kind, name, table, definition
-- CONCURRENTLY on every partition, then ALTER INDEX ... ATTACH PARTITION for each:
CREATE :kind :"name" ON ONLY :table :definition;
