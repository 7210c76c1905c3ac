-- what: where a partition stands on its way out
-- servers: 14..
-- $1 schema text, $2 name text
-- returns: parent_schema, parent (null: is a table of its own), is_pending, has_default; no row: gone
SELECT pn.nspname AS parent_schema, p.relname AS parent, h.inhdetachpending AS is_pending,
       t.partdefid <> 0 AS has_default
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_inherits h ON h.inhrelid = c.oid
  LEFT JOIN pg_class p ON p.oid = h.inhparent
  LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace
  LEFT JOIN pg_partitioned_table t ON t.partrelid = p.oid
 WHERE n.nspname = $1 AND c.relname = $2
