-- what: foreign keys without an index on the referring columns
-- check: foreign keys
-- scope: database
-- rank: 72
-- servers: 14..18
-- Deleting or changing a referenced row reads the whole referring table then, under a lock. Below
-- 10000 rows that costs nothing. A partial index does not help; the order of the columns does not
-- matter.
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
  FROM pg_constraint AS k
  JOIN pg_class AS t ON t.oid = k.conrelid
  JOIN pg_namespace AS n ON n.oid = t.relnamespace
 CROSS JOIN LATERAL (
       SELECT sum(greatest(p.reltuples, u.n_live_tup, 0))::bigint AS about_rows
         FROM pg_class AS p
         LEFT JOIN pg_stat_all_tables AS u ON u.relid = p.oid
        WHERE p.oid = t.oid OR (t.relkind = 'p' AND p.oid IN (
              SELECT r.relid FROM pg_partition_tree(t.oid) AS r WHERE r.isleaf))) AS s
 WHERE k.contype = 'f' AND k.conparentid = 0
   AND s.about_rows >= 10000
   AND NOT EXISTS (
       SELECT FROM pg_index AS i
        WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
          AND (SELECT array_agg(x.number ORDER BY x.number)
                 FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS x (number, at)
                WHERE x.at <= cardinality(k.conkey))
              = (SELECT array_agg(c.number ORDER BY c.number) FROM unnest(k.conkey) AS c (number)))
 ORDER BY s.about_rows DESC
 LIMIT 50;
