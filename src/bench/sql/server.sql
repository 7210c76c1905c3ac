-- what: version and shape of the database
-- servers: 14..
-- returns: version, database, size_bytes, tables, partitions, indexes, index_bytes,
--   tables_without_statistics (not empty, never analysed), data_directory (null: not for us to
--   know)
WITH relations AS (
    SELECT c.*
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'pgdeck', 'monitoring', 'rollups')
)
SELECT split_part(current_setting('server_version'), ' ', 1) AS version,
       current_database() AS database,
       pg_database_size(current_database()) AS size_bytes,
       count(*) FILTER (WHERE relkind IN ('r', 'p') AND NOT relispartition) AS tables,
       count(*) FILTER (WHERE relkind = 'r' AND relispartition) AS partitions,
       count(*) FILTER (WHERE relkind IN ('i', 'I') AND NOT relispartition) AS indexes,
       coalesce(sum(pg_relation_size(oid)) FILTER (WHERE relkind = 'i'), 0)::bigint AS index_bytes,
       count(*) FILTER (WHERE relkind = 'r' AND reltuples < 0 AND pg_relation_size(oid) > 0)
           AS tables_without_statistics,
       (SELECT setting FROM pg_settings WHERE name = 'data_directory') AS data_directory
FROM relations;
