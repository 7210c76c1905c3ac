-- what: foreign keys without an index on the referring columns
-- check: foreign keys
-- scope: database
-- rank: 72
-- servers: 14..18
-- Deleting or changing a referenced row reads the whole referring table then, under a lock. Below
-- 10000 rows that costs nothing. What serves is a valid B-tree whose first columns are those of the
-- key, in any order, or a hash of its one column; no partial index, and no column that it only
-- INCLUDEs. A partitioned table may have it on each partition instead.
WITH RECURSIVE key (root_oid, constraint_oid) AS (
    SELECT k.oid, k.oid FROM pg_constraint AS k WHERE k.contype = 'f' AND k.conparentid = 0
     UNION ALL
    SELECT r.root_oid, k.oid
      FROM key AS r
      JOIN pg_constraint AS k ON k.conparentid = r.constraint_oid
), bare AS (
    SELECT DISTINCT r.root_oid
      FROM key AS r
      JOIN pg_constraint AS k ON k.oid = r.constraint_oid
      JOIN pg_class AS t ON t.oid = k.conrelid AND t.relkind = 'r'
     WHERE NOT EXISTS (
           SELECT FROM pg_index AS i
             JOIN pg_class AS x ON x.oid = i.indexrelid
             JOIN pg_am AS m ON m.oid = x.relam
            WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indisready AND i.indpred IS NULL
              AND (m.amname = 'btree' OR m.amname = 'hash' AND cardinality(k.conkey) = 1)
              AND i.indnkeyatts >= cardinality(k.conkey)
              AND (SELECT array_agg(x.number ORDER BY x.number)
                     FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS x (number, at)
                    WHERE x.at <= cardinality(k.conkey))
                  = (SELECT array_agg(c.number ORDER BY c.number)
                       FROM unnest(k.conkey) AS c (number)))
)
SELECT 'warning',
       format('foreign key %I of %I.%I has no index', k.conname, n.nspname, t.relname),
       format('about %s rows are read for each row of %s that goes', s.about_rows,
              k.confrelid::regclass),
       'measured; needless if rows there are never deleted and keys never changed',
       format(CASE t.relkind WHEN 'p' THEN 'CREATE INDEX ON %I.%I (%s);'
                   ELSE 'CREATE INDEX CONCURRENTLY ON %I.%I (%s);' END, n.nspname, t.relname,
              (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY c.at)
                 FROM unnest(k.conkey) WITH ORDINALITY AS c (number, at)
                 JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = c.number))
  FROM bare AS b
  JOIN pg_constraint AS k ON k.oid = b.root_oid
  JOIN pg_class AS t ON t.oid = k.conrelid
  JOIN pg_namespace AS n ON n.oid = t.relnamespace
 CROSS JOIN LATERAL (
       SELECT sum(greatest(p.reltuples, u.n_live_tup, 0))::bigint AS about_rows
         FROM pg_class AS p
         LEFT JOIN pg_stat_all_tables AS u ON u.relid = p.oid
        WHERE p.oid = t.oid OR (t.relkind = 'p' AND p.oid IN (
              SELECT r.relid FROM pg_partition_tree(t.oid) AS r WHERE r.isleaf))) AS s
 WHERE s.about_rows >= 10000
 ORDER BY s.about_rows DESC
 LIMIT 50;
