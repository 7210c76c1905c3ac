-- what: indexes that an apply began to build and did not finish
-- servers: 14..
SELECT DISTINCT (parse_ident(substr(key, 7)))[1] AS schema, (parse_ident(substr(key, 7)))[2] AS name
  FROM pgdeck.journal
 WHERE advisor = 'index' AND state IN ('started', 'failed') AND starts_with(key, 'index ')
