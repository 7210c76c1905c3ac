-- what: where this session looks for tables, and the extension that plans with indexes that are not
--       there: the schema where it is; null: not in this database
-- servers: 14..
SELECT current_schemas(false)::text[] AS schemas,
       (SELECT quote_ident(n.nspname)
          FROM pg_extension e
          JOIN pg_namespace n ON n.oid = e.extnamespace
         WHERE e.extname = 'hypopg') AS hypopg,
       EXISTS (SELECT FROM pg_available_extensions a WHERE a.name = 'hypopg') AS is_available,
       current_setting('server_version_num')::integer / 10000 AS major,
       current_setting('default_text_search_config') AS words,
       current_database() AS database, current_user AS role
