-- what: whether the server takes what a rollup is made of
-- servers: 14..
-- variables: schema, table, time (column), every (interval), by, figures, places
EXPLAIN SELECT date_bin(:'every', :"time", timestamptz '0001-01-01 00:00+00'), :by :figures
  FROM :"schema".:"table" AS source
 GROUP BY :places
