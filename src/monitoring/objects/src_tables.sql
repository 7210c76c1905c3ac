-- what: every table, partition and materialized view, and what makes autovacuum act on it
-- object: view monitoring.src_tables
-- servers: 14..18
-- Sizes are pages of the last VACUUM or ANALYZE: pg_relation_size() waits behind a queued ALTER
-- TABLE.
CREATE OR REPLACE VIEW monitoring.src_tables AS
WITH RECURSIVE tree (relid, root_relid) AS (
    SELECT c.oid, c.oid
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'm')
       AND NOT c.relispartition
       AND c.relpersistence <> 't'
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
     UNION ALL
    SELECT c.oid, t.root_relid
      FROM tree AS t
      JOIN pg_catalog.pg_inherits AS i ON i.inhparent = t.relid
      JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
     WHERE c.relispartition
       AND c.relkind IN ('r', 'p')
), option AS (
    SELECT c.oid AS relid,
           pg_catalog.max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_enabled')
               AS enabled,
           pg_catalog.max(o.option_value)
               FILTER (WHERE o.option_name = 'autovacuum_vacuum_threshold') AS vacuum_base,
           pg_catalog.max(o.option_value)
               FILTER (WHERE o.option_name = 'autovacuum_vacuum_scale_factor') AS vacuum_factor,
           pg_catalog.max(o.option_value)
               FILTER (WHERE o.option_name = 'autovacuum_vacuum_max_threshold') AS vacuum_cap,
           pg_catalog.max(o.option_value)
               FILTER (WHERE o.option_name = 'autovacuum_analyze_threshold') AS analyze_base,
           pg_catalog.max(o.option_value)
               FILTER (WHERE o.option_name = 'autovacuum_analyze_scale_factor') AS analyze_factor
      FROM pg_catalog.pg_class AS c
     CROSS JOIN LATERAL pg_catalog.pg_options_to_table(c.reloptions) AS o
     WHERE c.reloptions IS NOT NULL
     GROUP BY c.oid
), wanted AS (
    SELECT t.relid,
           t.root_relid,
           coalesce(CAST(o.enabled AS boolean), true)
               AND CAST(pg_catalog.current_setting('autovacuum') AS boolean) AS autovacuum_on,
           CAST(coalesce(o.vacuum_base,
                pg_catalog.current_setting('autovacuum_vacuum_threshold')) AS double precision)
               AS vacuum_base,
           CAST(coalesce(o.vacuum_factor,
                pg_catalog.current_setting('autovacuum_vacuum_scale_factor')) AS double precision)
               AS vacuum_factor,
           CAST(coalesce(o.vacuum_cap,
                pg_catalog.current_setting('autovacuum_vacuum_max_threshold', true), '-1')
                AS double precision) AS vacuum_cap,
           CAST(coalesce(o.analyze_base,
                pg_catalog.current_setting('autovacuum_analyze_threshold')) AS double precision)
               AS analyze_base,
           CAST(coalesce(o.analyze_factor,
                pg_catalog.current_setting('autovacuum_analyze_scale_factor')) AS double precision)
               AS analyze_factor
      FROM tree AS t
      LEFT JOIN option AS o ON o.relid = t.relid
)
SELECT w.relid,
       w.root_relid,
       n.nspname AS schema_name,
       c.relname AS table_name,
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS sql_name,
       CASE WHEN c.relkind = 'm' THEN 'materialized view'
            WHEN c.relkind = 'p' AND c.relispartition THEN 'partitioned partition'
            WHEN c.relkind = 'p' THEN 'partitioned table'
            WHEN c.relispartition THEN 'partition'
            ELSE 'table' END AS kind,
       c.relkind,
       CASE WHEN w.root_relid <> w.relid
            THEN pg_catalog.format('%I.%I', rn.nspname, r.relname) END AS partition_of,
       CASE WHEN c.reltuples < 0 THEN NULL ELSE c.reltuples END AS analyzed_rows,
       CASE WHEN c.relkind <> 'p' THEN CAST(c.relpages AS bigint)
            * CAST(pg_catalog.current_setting('block_size') AS bigint) END AS about_bytes,
       w.autovacuum_on,
       CASE WHEN w.vacuum_cap >= 0
            THEN least(w.vacuum_cap,
                       w.vacuum_base + w.vacuum_factor * greatest(c.reltuples, 0))
            ELSE w.vacuum_base + w.vacuum_factor * greatest(c.reltuples, 0) END
           AS vacuum_trigger_rows,
       w.analyze_base + w.analyze_factor * greatest(c.reltuples, 0) AS analyze_trigger_rows
  FROM wanted AS w
  JOIN pg_catalog.pg_class AS c ON c.oid = w.relid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class AS r ON r.oid = w.root_relid
  JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace;

COMMENT ON VIEW monitoring.src_tables IS
'Every table and partition with its autovacuum triggers (table options before server settings).
analyzed_rows is empty for a table that was never analyzed; about_bytes is what the last VACUUM or
ANALYZE saw. Read v_table_activity instead.';

GRANT SELECT ON monitoring.src_tables TO pg_monitor;
