-- what: whether this database has no rows but pgdeck's own; false in any other database
-- servers: 14..
-- variables: database
-- returns: one boolean
SELECT current_database() = :'database' AND NOT EXISTS (
  SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
     AND n.nspname NOT LIKE 'pg\_%'
     AND n.nspname NOT IN ('information_schema', 'pgdeck', 'monitoring', 'rollups')
     AND (c.relkind IN ('m', 'f')
          OR query_to_xml(format('SELECT EXISTS (SELECT FROM %I.%I) AS found', n.nspname, c.relname),
                          false, false, '')::text LIKE '%true%'));
