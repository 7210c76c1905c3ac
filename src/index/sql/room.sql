-- what: how large the index on the copy (room_copy.sql) would be on the table itself, of a partial
--       one as if it were whole, and where it would go; size_bytes is null where nobody can say
-- servers: 14..
-- $1 schema text, $2 table text
SELECT CASE WHEN am.amname = 'brin' THEN pg_relation_size(t.oid) / 1000 + 65536
            WHEN t.reltuples < 0 OR t.relpages = 0 OR w.width IS NULL
            THEN pg_relation_size(t.oid)
            -- as many rows a page as ANALYZE saw, on as many pages as there are now
            ELSE t.reltuples / t.relpages * (pg_relation_size(t.oid) / 8192)
                 * CASE am.amname WHEN 'hash' THEN 28
                                  WHEN 'gin' THEN 8 + w.width -- each key once, and lists of rows
                                  WHEN 'btree' THEN (12 + ceil(w.width / 8) * 8) / 0.9
                                  ELSE (12 + ceil(w.width / 8) * 8) / 0.7 END
       END::bigint AS size_bytes,
       coalesce(pg_get_expr(i.indpred, i.indrelid), '') AS predicate, t.reltuples AS rows,
       pg_tablespace_location(coalesce(nullif(c.reltablespace, 0), d.dattablespace)) AS location
  FROM pg_class c
  JOIN pg_index i ON i.indexrelid = c.oid
  JOIN pg_am am ON am.oid = c.relam
  JOIN pg_database d ON d.datname = current_database()
  JOIN pg_class t ON t.relname = $2
  JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = $1
 CROSS JOIN LATERAL (
   SELECT CASE WHEN bool_and(a.attnum IS NULL OR s.avg_width IS NOT NULL)
               THEN sum(coalesce(s.avg_width, 32)) END AS width -- an expression: about 32 bytes
     FROM unnest(i.indkey) AS k(number)
     LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
     LEFT JOIN pg_stats s ON (s.schemaname, s.tablename, s.attname) = ($1, $2, a.attname)
                         AND NOT s.inherited) AS w
 WHERE c.relname = 'pgdeck_room_index' AND c.relnamespace = pg_my_temp_schema()
