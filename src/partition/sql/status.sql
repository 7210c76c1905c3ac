-- what: all partitioned tables and their partitions, without waiting for whoever holds them; sizes
--       are as of the last VACUUM or ANALYZE
-- servers: 14..
-- returns: root_schema, root, key, level, schema, name, bound, is_leaf, is_pending, rows, bytes,
--   writes (since the server counts), last_write (of its file: by a checkpoint, so some minutes late;
--   null: the role may not see), last_analyze, manager
WITH root AS (
  SELECT c.oid, n.nspname, c.relname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind = 'p' AND NOT c.relispartition
     AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
), partman AS (
  SELECT format('%I.part_config', n.nspname) AS config
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_partman'
), managed AS (
  SELECT (xpath('//parent_table/text()', x.row))[1]::text AS parent_table
    FROM partman p
   CROSS JOIN LATERAL unnest(xpath('/table/row', query_to_xml('SELECT parent_table FROM ' || p.config,
                                                              true, false, ''))) AS x(row)
)
SELECT r.nspname AS root_schema, r.relname AS root, pg_get_partkeydef(t.relid) AS key, t.level,
       n.nspname AS schema, c.relname AS name, b.bound,
       t.isleaf AS is_leaf, coalesce(h.inhdetachpending, false) AS is_pending,
       greatest(s.n_live_tup, c.reltuples, 0)::bigint AS rows,
       (greatest(c.relpages, 0)::bigint + (SELECT coalesce(sum(greatest(x.relpages, 0)), 0) FROM pg_class x
                               WHERE x.oid = c.reltoastrelid
                                  OR x.oid IN (SELECT i.indexrelid FROM pg_index i WHERE i.indrelid = c.oid)))
         * current_setting('block_size')::bigint AS bytes,
       s.n_tup_ins + s.n_tup_upd + s.n_tup_del AS writes,
       CASE WHEN has_function_privilege('pg_stat_file(text, boolean)', 'EXECUTE') AND c.relkind = 'r'
            THEN (SELECT max((pg_stat_file(pg_relation_filepath(c.oid) || x.segment, true)).modification)
                    FROM (SELECT '' UNION SELECT '.' || greatest(c.relpages, 0)::bigint
                            * current_setting('block_size')::bigint / 1073741824) AS x(segment))::timestamp(0)
       END AS last_write,
       greatest(s.last_analyze, s.last_autoanalyze)::timestamp(0) AS last_analyze,
       CASE WHEN EXISTS (SELECT FROM managed m WHERE m.parent_table = r.nspname || '.' || r.relname)
            THEN 'pg_partman' END AS manager
  FROM root r
 CROSS JOIN LATERAL (
   SELECT relid, level, isleaf FROM pg_partition_tree(r.oid)
    UNION ALL -- the tree leaves out what is half detached
   SELECT inhrelid, 1, true FROM pg_inherits WHERE inhparent = r.oid AND inhdetachpending) AS t
  JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_inherits h ON h.inhrelid = t.relid
  LEFT JOIN pg_stat_all_tables s ON s.relid = t.relid
 CROSS JOIN LATERAL (SELECT pg_get_expr(c.relpartbound, 0)) AS b(bound)
 ORDER BY r.nspname, r.relname, t.level, b.bound = 'DEFAULT', b.bound !~ 'FROM \(MINVALUE',
          substring(b.bound FROM $$FROM \('(-?\d+)'\)$$)::numeric, b.bound, c.relname
