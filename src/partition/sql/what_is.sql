-- what: what is under a name that is no ordinary and no partitioned table
-- servers: 14..
-- $1 schema text, $2 name text
-- returns: what; no row: nothing
SELECT CASE c.relkind WHEN 'f' THEN 'a foreign table' WHEN 'v' THEN 'a view'
                      WHEN 'm' THEN 'a materialized view' WHEN 'S' THEN 'a sequence'
                      ELSE 'no table' END AS what
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind NOT IN ('r', 'p')
