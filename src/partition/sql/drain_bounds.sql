-- what: the bounds of a table's partitions but for the default
-- servers: 14..
-- $1 schema text, $2 table text
-- returns: bound
SELECT pg_get_expr(c.relpartbound, 0) AS bound
  FROM pg_class p JOIN pg_namespace n ON n.oid = p.relnamespace
  JOIN pg_inherits h ON h.inhparent = p.oid JOIN pg_class c ON c.oid = h.inhrelid
 WHERE n.nspname = $1 AND p.relname = $2 AND pg_get_expr(c.relpartbound, 0) <> 'DEFAULT'
