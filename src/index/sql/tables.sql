-- what: a table with its partitions of all levels, parents first
-- servers: 14..
-- $1 schema text, $2 table text
WITH RECURSIVE tree AS (
  SELECT c.oid, 0::oid AS parent_oid, 0 AS level
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
  UNION ALL
  SELECT h.inhrelid, h.inhparent, t.level + 1
    FROM tree t JOIN pg_class p ON p.oid = t.oid AND p.relkind = 'p'
    JOIN pg_inherits h ON h.inhparent = t.oid
)
SELECT t.oid, t.parent_oid, n.nspname AS schema, c.relname AS name,
       c.relkind = 'p' AS is_partitioned,
       c.relkind = 'r' AND pg_relation_size(c.oid) > 0 AS has_pages
  FROM tree t JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace
 ORDER BY t.level, c.relname
