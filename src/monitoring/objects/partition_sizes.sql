-- what: every partition with its bound, rows and size, and its table as a whole
-- object: view monitoring.partition_sizes
-- servers: 14..18
-- after: monitoring.src_tables
-- Sizes are pages of the last VACUUM or ANALYZE: pg_relation_size() waits behind a queued ALTER
-- TABLE, as does pg_get_expr(bound, relation).
CREATE OR REPLACE VIEW monitoring.partition_sizes AS
SELECT r.relname AS table_name,
       c.relname AS partition_name,
       pg_catalog.pg_get_expr(c.relpartbound, 0) AS bound,
       s.n_live_tup AS live_rows,
       s.n_dead_tup AS dead_rows,
       b.bytes AS about_bytes,
       pg_catalog.pg_size_pretty(b.bytes) AS about_size,
       pg_catalog.trunc(100.0 * b.bytes
           / nullif(pg_catalog.sum(b.bytes) OVER (PARTITION BY t.root_relid), 0), 1)
           AS share_percent,
       s.n_tup_ins + s.n_tup_upd + s.n_tup_del AS writes,
       greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze,
       rn.nspname AS table_schema,
       cn.nspname AS partition_schema
  FROM monitoring.src_tables AS t
  JOIN pg_catalog.pg_class AS c ON c.oid = t.relid
  JOIN pg_catalog.pg_namespace AS cn ON cn.oid = c.relnamespace
  JOIN pg_catalog.pg_class AS r ON r.oid = t.root_relid
  JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
  LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = t.relid
 CROSS JOIN LATERAL (
       SELECT pg_catalog.sum(CAST(x.relpages AS bigint))
              * CAST(pg_catalog.current_setting('block_size') AS bigint) AS bytes
         FROM pg_catalog.pg_class AS x
        WHERE x.oid = c.oid OR x.oid = c.reltoastrelid
           OR x.oid IN (SELECT i.indexrelid FROM pg_catalog.pg_index AS i
                         WHERE i.indrelid = c.oid)) AS b
 WHERE c.relispartition AND c.relkind = 'r'
 ORDER BY rn.nspname, r.relname, b.bytes DESC, c.relname;

COMMENT ON VIEW monitoring.partition_sizes IS
'Partitions that hold rows, the largest of each table first; sizes include indexes and TOAST and are
as of the last VACUUM or ANALYZE. Look for one partition with most of the share (a skewed key, or
periods that are too long) and for many with next to nothing (periods that are too short). writes
count since the statistics were reset.';

GRANT SELECT ON monitoring.partition_sizes TO pg_monitor;
