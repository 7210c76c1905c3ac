-- what: rows of the sample and the size of the index on it
-- servers: 14..
-- variables: none
SELECT (SELECT count(*) FROM pg_temp.pgdeck_sample)::float8 AS rows,
       pg_relation_size('pg_temp.pgdeck_sample_index')::float8 AS size_bytes
