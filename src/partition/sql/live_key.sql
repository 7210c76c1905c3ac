-- what: the index by whose columns the rows of a table are known, and the size of it all
-- servers: 14..
-- $1 schema text, $2 table text
-- returns: key_index, row_count, bytes; key_index null: there is none
SELECT (SELECT i.indexrelid
          FROM pg_index i
         WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid
           AND i.indpred IS NULL AND i.indexprs IS NULL
           AND NOT EXISTS (SELECT FROM pg_attribute a
                            WHERE a.attrelid = c.oid AND NOT a.attnotnull
                              AND a.attnum = ANY (i.indkey::int2[]))
         ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid
         LIMIT 1) AS key_index,
       b.row_count, b.bytes
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL (
   WITH heap AS (
     SELECT h.oid, h.reltoastrelid, greatest(h.reltuples, 0) AS row_count FROM pg_class h
      WHERE h.relkind = 'r' AND (h.oid = c.oid OR h.oid IN (SELECT relid FROM pg_partition_tree(c.oid)))
   )
   SELECT (SELECT sum(row_count)::bigint FROM heap) AS row_count,
          sum(greatest(x.relpages, 0)::bigint) * current_setting('block_size')::bigint AS bytes
     FROM pg_class x
    WHERE x.oid IN (SELECT oid FROM heap UNION SELECT reltoastrelid FROM heap
                     UNION SELECT i.indexrelid FROM pg_index i JOIN heap h ON h.oid = i.indrelid)) AS b
 WHERE n.nspname = $1 AND c.relname = $2
