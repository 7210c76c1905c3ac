-- what: the schema of pg_stat_statements; null: it is not in this database
-- servers: 14..
SELECT (SELECT quote_ident(n.nspname)
          FROM pg_extension e
          JOIN pg_namespace n ON n.oid = e.extnamespace
         WHERE e.extname = 'pg_stat_statements') AS schema
