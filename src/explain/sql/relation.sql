-- what: what the server knows of a table in a plan
-- servers: 14..
-- $1 schema text
-- $2 name text
-- returns: rows (-1: never analyzed), changed rows since, columns
SELECT c.reltuples::float8 AS rows,
       coalesce(s.n_mod_since_analyze, 0) AS changed,
       coalesce(s.n_live_tup, 0) AS live
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = c.oid
 WHERE n.nspname = $1 AND c.relname = $2
