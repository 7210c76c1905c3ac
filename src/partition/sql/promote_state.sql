-- what: where a default partition stands on its way to one of a period
-- servers: 14..
-- $1 schema text, $2 table text, $3 column text
-- returns: is_default, is_not_null, is_checked, is_valid; no row: there is no such table
SELECT coalesce(p.partdefid = c.oid, false) AS is_default,
       coalesce((SELECT a.attnotnull FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = $3::text),
                false) AS is_not_null,
       k.oid IS NOT NULL AS is_checked, coalesce(k.convalidated, false) AS is_valid
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_inherits h ON h.inhrelid = c.oid
  LEFT JOIN pg_partitioned_table p ON p.partrelid = h.inhparent
  LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.conname = 'pgdeck_promoted'
 WHERE n.nspname = $1::text AND c.relname = $2::text AND c.relkind = 'r'
