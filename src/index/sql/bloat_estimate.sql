-- what: how much of each btree is room that a new one would not take: what its rows should need, by
--       the average widths of ANALYZE, beside what it takes. A guess, good to some ten per cent;
--       null where the figures are missing or the index is too small to tell.
-- servers: 14..
-- $1 oids of indexes text[]
WITH part AS (
  SELECT c.oid, c.relname, c.relpages::float8 AS pages, c.reltuples::float8 AS entries,
         i.indrelid, i.indnkeyatts, i.indnatts, tc.relname AS table_name,
         tn.nspname AS table_schema, n.nspname AS schema,
         coalesce((SELECT split_part(o, '=', 2)::float8 FROM unnest(c.reloptions) AS o
                    WHERE starts_with(o, 'fillfactor=')), 90) / 100 AS fill
    FROM unnest($1::text[]::oid[]) AS o(oid)
    JOIN pg_class c USING (oid)
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_index i ON i.indexrelid = c.oid
    JOIN pg_class tc ON tc.oid = i.indrelid
    JOIN pg_namespace tn ON tn.oid = tc.relnamespace
    JOIN pg_am am ON am.oid = c.relam
   WHERE am.amname = 'btree' AND c.relpages >= 8 AND c.reltuples > 0 AND i.indisvalid
), width AS (
  SELECT p.oid, count(*) = p.indnatts AS is_known,
         sum(s.avg_width * (1 - s.null_frac)) AS width,
         -- equal keys of an index of one column are stored once (deduplication, version 13)
         CASE WHEN p.indnatts = 1
              THEN max(CASE WHEN s.n_distinct > 0 THEN p.entries / s.n_distinct
                            WHEN s.n_distinct < 0 THEN -1 / s.n_distinct END) END AS per_key
    FROM part p
    JOIN pg_attribute a ON a.attrelid = p.oid AND a.attnum > 0
    JOIN pg_index i ON i.indexrelid = p.oid
    LEFT JOIN pg_attribute ta ON ta.attrelid = p.indrelid AND ta.attnum = i.indkey[a.attnum - 1]
                             AND ta.attnum > 0
    JOIN pg_stats s ON NOT s.inherited
                   AND (s.schemaname, s.tablename, s.attname) =
                       (CASE WHEN ta.attnum IS NULL THEN p.schema ELSE p.table_schema END,
                        CASE WHEN ta.attnum IS NULL THEN p.relname ELSE p.table_name END,
                        coalesce(ta.attname, a.attname))
   GROUP BY p.oid, p.indnatts
)
SELECT p.oid, p.pages * 8192 AS size_bytes,
       p.entries
         * CASE WHEN w.per_key > 2
                THEN 6 + (12 + ceil(w.width / 8) * 8) / least(w.per_key, 100)
                ELSE 12 + ceil(w.width / 8) * 8 END -- item, tuple header, aligned columns
         / (8192 - 40) / p.fill * 8192 AS needed_bytes
  FROM part p JOIN width w USING (oid)
 WHERE w.is_known
