-- what: an index that only the planner of this session sees; takes no lock that anyone waits for
-- servers: 14..
-- variables: schema statement
SELECT indexrelid AS oid, :schema.hypopg_relation_size(indexrelid)::float8 AS size_bytes
  FROM :schema.hypopg_create_index(:'statement')
