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
       greatest(c.reltuples, 0)::bigint AS row_count,
       (c.relpages::bigint + (SELECT coalesce(sum(x.relpages), 0) FROM pg_class x
                               WHERE x.oid = c.reltoastrelid
                                  OR x.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = c.oid)))
         * current_setting('block_size')::bigint AS bytes
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = $1 AND c.relname = $2
