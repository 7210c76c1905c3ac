-- what: what pg_monitor may read already: the schema monitoring, and columns of the product's tables
-- servers: 14..
-- $1 tables text[]
-- $2 columns text[]
-- returns: one row for the schema, with the table empty; one for each such column that can be read
SELECT '' AS schema, '' AS name, '' AS column
  FROM pg_namespace AS n
 WHERE n.nspname = 'monitoring' AND has_schema_privilege('pg_monitor', n.oid, 'USAGE')
 UNION ALL
SELECT n.nspname, c.relname, w.name
  FROM unnest($1::text[], $2::text[]) AS w (relation, name)
  JOIN pg_class AS c ON c.relname = w.relation
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = w.name
 WHERE c.relkind IN ('r', 'p')
   AND NOT a.attisdropped
   AND has_column_privilege('pg_monitor', c.oid, a.attnum, 'SELECT')
