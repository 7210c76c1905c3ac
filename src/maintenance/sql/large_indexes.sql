-- what: the btrees of at least that size, the largest first, and how many bytes an entry of each has
--       taken when it was at its best
-- servers: 14..
-- $1 size_bytes bigint, $2 relations text[], $3 bytes float8[] (best_indexes.sql)
-- returns: oid, relation, schema, name, table_schema, table, size_bytes, entries, best
SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS relation, n.nspname AS schema,
       c.relname AS name, tn.nspname AS table_schema, t.relname AS table,
       pg_relation_size(c.oid) AS size_bytes, greatest(c.reltuples, 1) AS entries,
       coalesce(b.bytes, 0) AS best
  FROM pg_index AS i
  JOIN pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_am AS m ON m.oid = c.relam
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_class AS t ON t.oid = i.indrelid
  JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
  LEFT JOIN unnest($2::text[], $3::float8[]) AS b (relation, bytes)
    ON b.relation = format('%I.%I', n.nspname, c.relname)
 WHERE m.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence <> 't' AND i.indisvalid
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
   AND NOT EXISTS (SELECT FROM pg_constraint AS k
                    WHERE k.conindid = c.oid AND k.contype = 'x')
   AND c.relpages > 0 AND c.reltuples >= 0
   AND pg_has_role(t.relowner, 'USAGE')
   AND pg_relation_size(c.oid) >= $1::bigint
 ORDER BY size_bytes DESC, 2
