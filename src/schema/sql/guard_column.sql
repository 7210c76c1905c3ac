-- what: whether a table or its column is gone, or holds only what adding it put there
-- servers: 14..
-- variables: schema, table, column
-- returns: one boolean
SELECT NOT EXISTS (
  SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = :'schema' AND c.relname = :'table' AND a.attname = :'column'
     AND query_to_xml(format('SELECT EXISTS (SELECT FROM %I.%I WHERE %I::text IS DISTINCT FROM %L) '
                             'AS found', n.nspname, c.relname, a.attname,
                             (a.attmissingval::text::text[])[1]),
                      false, false, '')::text LIKE '%true%');
