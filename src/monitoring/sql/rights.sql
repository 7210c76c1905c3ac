-- what: what pg_monitor may do already: connect, use schemas, read columns of the product's tables
-- servers: 14..
-- $1 tables text[]
-- $2 columns text[]
-- returns: schema, table, column; a schema that can be used has the latter two empty, the right to
--   connect is ('', '', 'connect'), and ('', '', 'own connect') when it has that by itself
SELECT '' AS schema, '' AS name, 'connect' AS column
 WHERE has_database_privilege('pg_monitor', current_database(), 'CONNECT')
 UNION ALL
SELECT '', '', 'own connect'
  FROM pg_database AS d
 CROSS JOIN aclexplode(d.datacl) AS a
 WHERE d.datname = current_database()
   AND a.grantee = 'pg_monitor'::regrole AND a.privilege_type = 'CONNECT'
 UNION ALL
SELECT n.nspname, '', '' FROM pg_namespace AS n
 WHERE has_schema_privilege('pg_monitor', n.oid, 'USAGE')
 UNION ALL
SELECT n.nspname, c.relname, w.name
  FROM unnest($1::text[], $2::text[]) AS w (relation, name)
  JOIN pg_class AS c ON c.relname = w.relation
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = w.name
 WHERE c.relkind IN ('r', 'p')
   AND NOT a.attisdropped
   AND has_column_privilege('pg_monitor', c.oid, a.attnum, 'SELECT')
