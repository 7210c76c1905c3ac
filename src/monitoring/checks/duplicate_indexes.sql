-- what: indexes that another makes useless: the same once more, or the beginning of a longer one
-- check: duplicate indexes
-- scope: database
-- rank: 70
-- servers: 14..18
-- Compared are access method, columns with operator class, collation, direction and order of nulls,
-- expressions and condition. An index that enforces something is never useless; of two equal ones
-- the younger goes. Expressions are node trees without their places in the text.
WITH item AS (
    SELECT i.indexrelid, i.indrelid, x.relname, n.nspname, t.relname AS table_name, x.relam,
           x.relkind, x.relpages, i.indnkeyatts, i.indnatts, m.amname,
           ARRAY(SELECT k.n FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (n, at)
                  WHERE k.at <= i.indnkeyatts ORDER BY k.at) AS keys,
           ARRAY(SELECT k.n FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (n, at)
                  WHERE k.at > i.indnkeyatts ORDER BY k.n) AS included,
           ARRAY(SELECT k.n FROM unnest(i.indclass::oid[]) WITH ORDINALITY AS k (n, at)
                  ORDER BY k.at) AS classes,
           ARRAY(SELECT k.n FROM unnest(i.indcollation::oid[]) WITH ORDINALITY AS k (n, at)
                  ORDER BY k.at) AS collations,
           ARRAY(SELECT k.n FROM unnest(i.indoption::int2[]) WITH ORDINALITY AS k (n, at)
                  ORDER BY k.at) AS options,
           regexp_replace(coalesce(i.indexprs::text, ''), ':location -?[0-9]+', '', 'g') AS exprs,
           regexp_replace(coalesce(i.indpred::text, ''), ':location -?[0-9]+', '', 'g') AS pred,
           i.indisunique OR i.indisprimary OR i.indisexclusion OR i.indisreplident
               OR EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid)
               AS enforces
      FROM pg_index AS i
      JOIN pg_class AS x ON x.oid = i.indexrelid
      JOIN pg_am AS m ON m.oid = x.relam
      JOIN pg_class AS t ON t.oid = i.indrelid
      JOIN pg_namespace AS n ON n.oid = x.relnamespace
     WHERE i.indisvalid AND i.indisready AND NOT x.relispartition AND x.relpersistence <> 't'
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
       AND (SELECT count(*) FROM pg_index AS o WHERE o.indrelid = i.indrelid) > 1
), pair AS (
    SELECT a.*, b.relname AS other, b.enforces AS other_enforces,
           cardinality(b.keys) = cardinality(a.keys) AS is_equal
      FROM item AS a
      JOIN item AS b ON b.indrelid = a.indrelid AND b.indexrelid <> a.indexrelid
                    AND b.relam = a.relam AND b.pred = a.pred AND b.exprs = a.exprs
                    AND b.keys[1:cardinality(a.keys)] = a.keys
                    AND b.classes[1:cardinality(a.keys)] = a.classes[1:cardinality(a.keys)]
                    AND b.collations[1:cardinality(a.keys)] = a.collations[1:cardinality(a.keys)]
                    AND b.options[1:cardinality(a.keys)] = a.options[1:cardinality(a.keys)]
                    AND (b.keys || b.included) @> a.included
     WHERE NOT a.enforces
       AND (cardinality(b.keys) = cardinality(a.keys)
            OR (a.amname = 'btree' AND cardinality(b.keys) > cardinality(a.keys)))
       AND (cardinality(b.keys) > cardinality(a.keys)
            OR cardinality(b.included) > cardinality(a.included)
            OR b.enforces OR b.indexrelid < a.indexrelid)
)
SELECT DISTINCT ON (p.indexrelid)
       'warning',
       format(CASE WHEN p.is_equal THEN 'index %1$I.%2$I is the same as %3$I'
                   ELSE 'index %1$I.%2$I is the beginning of %3$I' END,
              p.nspname, p.relname, p.other),
       format('on %I.%I, about %s; every write keeps it up to date', p.nspname, p.table_name,
              pg_size_pretty(p.relpages * current_setting('block_size')::bigint)),
       CASE WHEN p.is_equal THEN 'measured'
            ELSE 'the longer index serves the same queries, if not always as fast' END,
       format(CASE p.relkind WHEN 'I' THEN 'DROP INDEX %I.%I;'
                   ELSE 'DROP INDEX CONCURRENTLY %I.%I;' END, p.nspname, p.relname)
  FROM pair AS p
 ORDER BY p.indexrelid, p.is_equal DESC
 LIMIT 50;
