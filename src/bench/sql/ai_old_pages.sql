-- what: tables, partitions too, that ai_new_pages.sql could not change
-- servers: 14..
-- $1 table text
-- returns: count
SELECT count(*)
  FROM pg_class AS c
 WHERE c.relkind = 'r'
   AND c.oid IN (SELECT to_regclass($1)
                 UNION ALL
                 SELECT relid FROM pg_partition_tree(to_regclass($1)))
   AND 'fillfactor=80' <> ALL (coalesce(c.reloptions, '{}'));
