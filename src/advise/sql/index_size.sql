-- what: the size of an index with its partitions, and the server's clock
-- servers: 14..
-- $1 schema text
-- $2 index text
SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms,
       coalesce((SELECT sum(pg_relation_size(t.relid)) FROM pg_partition_tree(i.index) AS t),
                pg_relation_size(i.index))::float8 AS size_bytes
  FROM (SELECT format('%I.%I', $1::text, $2::text)::regclass) AS i(index)
