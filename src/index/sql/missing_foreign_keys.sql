-- what: foreign keys of which no index has the columns in front: each DELETE or change of key in
--       the referenced table then reads this one whole. Of a partitioned table: the partitions
--       that lack it.
-- servers: 14..
WITH RECURSIVE tree AS (
  SELECT f.oid AS root, f.oid, f.conrelid, f.conkey
    FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE f.contype = 'f' AND f.conparentid = 0
     AND n.nspname NOT IN ('pg_catalog', 'information_schema')
     AND coalesce(to_jsonb(f) ->> 'conenforced', 'true')::boolean
  UNION ALL
  SELECT t.root, f.oid, f.conrelid, f.conkey
    FROM tree t JOIN pg_constraint f ON f.conparentid = t.oid AND f.contype = 'f'
), lacking AS (
  SELECT DISTINCT t.root, t.conrelid, t.conkey
    FROM tree t JOIN pg_class c ON c.oid = t.conrelid
   WHERE c.relkind = 'r'
     AND NOT EXISTS (
       SELECT FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
         JOIN pg_am am ON am.oid = ic.relam
        WHERE i.indrelid = t.conrelid AND i.indisvalid AND i.indisready
          AND (am.amname = 'btree' OR am.amname = 'hash' AND cardinality(t.conkey) = 1)
          AND i.indnkeyatts >= cardinality(t.conkey)
          AND t.conkey <@ (i.indkey::int2[])[0:cardinality(t.conkey) - 1]
          AND (i.indpred IS NULL
               -- the check compares by =, which is never true of a null
               OR pg_get_expr(i.indpred, i.indrelid) IN (
                    SELECT format('(%I IS NOT NULL)', a.attname) FROM pg_attribute a
                     WHERE a.attrelid = t.conrelid AND a.attnum = ANY (t.conkey))))
), named AS (
  SELECT l.root, f.conname, c.relkind, format('%I.%I', n.nspname, c.relname) AS table_name,
         n.nspname AS schema, c.relname AS "table", f.confrelid::regclass::text AS referenced,
         (SELECT string_agg(format('%I', a.attname), ', ' ORDER BY k.at)
            FROM unnest(f.conkey) WITH ORDINALITY AS k(number, at)
            JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.number) AS columns,
         count(*) AS lacking,
         (SELECT count(*) FROM pg_partition_tree(f.conrelid) p WHERE p.isleaf) AS parts,
         sum(greatest(lc.reltuples, 0))::bigint AS rows,
         sum(pg_relation_size(l.conrelid)) AS size_bytes,
         sum(pg_stat_get_numscans(l.conrelid)) AS scans,
         (SELECT coalesce(sum(pg_stat_get_tuples_deleted(r.oid)), 0)
            FROM (SELECT f.confrelid AS oid UNION
                  SELECT p.relid FROM pg_partition_tree(f.confrelid) p) AS r) AS deletes,
         array_agg(format('%I.%I', ln.nspname, lc.relname) ORDER BY lc.relname) AS leaves
    FROM lacking l
    JOIN pg_constraint f ON f.oid = l.root
    JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class lc ON lc.oid = l.conrelid JOIN pg_namespace ln ON ln.oid = lc.relnamespace
   GROUP BY l.root, f.oid, f.conname, c.relkind, n.nspname, c.relname, f.confrelid, f.conkey,
            f.conrelid
)
SELECT schema, "table", conname AS name, columns, referenced, lacking, parts, rows, size_bytes,
       scans, deletes, relkind = 'p' AS is_partitioned,
       CASE relkind
         WHEN 'r' THEN format('CREATE INDEX CONCURRENTLY ON %s (%s);', table_name, columns)
         -- the last statement finds the indexes of the partitions and makes them its own
         ELSE (SELECT string_agg(format('CREATE INDEX CONCURRENTLY ON %s (%s);', leaf, columns),
                                 E'\n') FROM unnest(leaves) AS leaf)
              || format(E'\nCREATE INDEX ON %s (%s);', table_name, columns)
       END AS sql
  FROM named
 ORDER BY schema, "table", conname
