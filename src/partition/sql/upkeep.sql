-- what: what is to be finished or refreshed at a partitioned table
-- servers: 14..
-- $1 schema text, $2 table text
-- returns: what (pending: a detach that was broken off; analyze), schema, name, why
WITH parent AS (
  SELECT c.oid, n.nspname, c.relname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'p'
)
SELECT 'pending' AS what, n.nspname AS schema, c.relname AS name,
       'a detach of it was broken off; its rows are not seen any more' AS why
  FROM parent p
  JOIN pg_inherits h ON h.inhparent = p.oid AND h.inhdetachpending
  JOIN pg_class c ON c.oid = h.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 UNION ALL
SELECT 'analyze', p.nspname, p.relname,
       CASE WHEN s.last_analyze IS NULL THEN 'it never was; autovacuum leaves partitioned tables out'
            ELSE format('last on %s; %s rows have changed since their partitions were', s.last_analyze::date,
                        k.changed) END
  FROM parent p
  LEFT JOIN pg_stat_all_tables s ON s.relid = p.oid
 CROSS JOIN LATERAL (
   SELECT coalesce(sum(t.n_live_tup), 0) AS live, coalesce(sum(t.n_mod_since_analyze), 0) AS changed
     FROM pg_partition_tree(p.oid) x JOIN pg_stat_all_tables t ON t.relid = x.relid
    WHERE x.isleaf) AS k
 WHERE k.live > 0
   AND (s.last_analyze IS NULL OR s.last_analyze < now() - interval '1 day')
