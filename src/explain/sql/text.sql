-- what: where the view of pg_stat_statements is
-- servers: 14..
-- returns: no row where the extension is not
SELECT pg_catalog.quote_ident(n.nspname) AS schema
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
 WHERE e.extname = 'pg_stat_statements'
