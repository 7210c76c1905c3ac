-- what: tables with their columns, and indexes, of a database as they can be compared: partitions are
--   counted at their table, their indexes are left out
-- servers: 14..
-- returns: name ("table public.tasks", "index public.tasks_pkey"), value
WITH relations AS (
    SELECT c.*, n.nspname
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE NOT c.relispartition
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgdeck', 'monitoring', 'rollups')
      AND n.nspname NOT LIKE 'pg\_%'
),
objects AS (
    SELECT 'table ' || nspname || '.' || relname AS name,
           (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
                              || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END,
                              ', ' ORDER BY a.attnum)
            FROM pg_attribute AS a
            WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped)
           || CASE WHEN relkind = 'p'
                   THEN '; partitioned by ' || pg_get_partkeydef(r.oid) || ', '
                        || (SELECT count(*) FROM pg_inherits AS i WHERE i.inhparent = r.oid)
                        || ' partitions'
                   ELSE '' END AS value
    FROM relations AS r
    WHERE relkind IN ('r', 'p')
    UNION ALL
    SELECT 'index ' || nspname || '.' || relname, pg_get_indexdef(oid)
    FROM relations
    WHERE relkind IN ('i', 'I')
)
SELECT name, value
FROM objects
ORDER BY name COLLATE "C";
