-- what: valid indexes of some tables, each key as CREATE INDEX takes it
-- servers: 14..
-- $1 tables oid[]
SELECT i.indrelid AS table_oid, i.indexrelid AS oid, c.relname AS name, m.amname AS method,
       coalesce(pg_get_expr(i.indpred, i.indrelid, true), '') AS predicate,
       ARRAY(SELECT e.expression
                    -- another than the column's own; of an expression: than the database's
                    || CASE WHEN i.indcollation[k - 1] IN (0, coalesce(a.attcollation, 100)) THEN ''
                            ELSE ' COLLATE ' || i.indcollation[k - 1]::regcollation END
                    || CASE WHEN o.opcdefault THEN '' ELSE ' ' || o.opcname END
                    || CASE i.indoption[k - 1] & 3 WHEN 3 THEN ' DESC' WHEN 1 THEN ' DESC NULLS LAST'
                                                   WHEN 2 THEN ' NULLS FIRST' ELSE '' END
               FROM generate_series(1, i.indnkeyatts) AS k
              CROSS JOIN LATERAL (SELECT pg_get_indexdef(i.indexrelid, k, true)) AS e(expression)
               JOIN pg_opclass o ON o.oid = i.indclass[k - 1]
               LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k - 1]
                                       AND a.attnum > 0
              ORDER BY k)::text[] AS keys,
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true)
               FROM generate_series(i.indnkeyatts + 1, i.indnatts) AS k
              ORDER BY k)::text[] AS included,
       i.indisunique AS is_unique,
       i.indisreplident OR i.indisclustered
         OR EXISTS (SELECT FROM pg_constraint k
                     WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid
                       AND k.contype IN ('p', 'u', 'x')) AS is_constraint,
       coalesce((SELECT sum(pg_relation_size(t.relid)) FROM pg_partition_tree(c.oid) AS t),
                pg_relation_size(c.oid))::float8 AS size_bytes
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_am m ON m.oid = c.relam
 WHERE i.indrelid = ANY ($1::oid[]) AND i.indisvalid
 ORDER BY i.indrelid, c.relname
