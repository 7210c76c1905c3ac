-- what: how many parameters the statement to plan has
-- The search_path is another's: nothing is looked for in it.
-- servers: 14..18
SELECT pg_catalog.cardinality(s.parameter_types) AS parameters
  FROM pg_catalog.pg_prepared_statements AS s
 WHERE s.name OPERATOR(pg_catalog.=) 'watch_explained';
