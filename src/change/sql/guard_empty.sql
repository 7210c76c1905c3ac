-- what: whether a table is gone or has no rows
-- servers: 14..
-- variables: schema, table
-- returns: one boolean
SELECT NOT EXISTS (
  SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = :'schema' AND c.relname = :'table'
     AND query_to_xml(format('SELECT EXISTS (SELECT FROM %I.%I) AS found', n.nspname, c.relname),
                      false, false, '')::text LIKE '%true%');
