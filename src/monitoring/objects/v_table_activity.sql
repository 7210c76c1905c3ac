-- what: reads, writes, dead rows and upkeep of each table and partition
-- object: view monitoring.v_table_activity
-- servers: 14..18
-- after: monitoring.src_counted_since, monitoring.src_tables
CREATE OR REPLACE VIEW monitoring.v_table_activity AS
SELECT t.schema_name,
       t.table_name,
       t.kind,
       t.partition_of,
       s.seq_scan AS seq_scans,
       s.seq_tup_read AS rows_read_by_seq_scans,
       s.idx_scan AS index_scans,
       pg_catalog.trunc(100.0 * s.idx_scan / nullif(s.idx_scan + s.seq_scan, 0), 1)
           AS index_scan_percent,
       s.n_tup_ins AS inserts,
       s.n_tup_upd AS updates,
       s.n_tup_del AS deletes,
       pg_catalog.trunc(100.0 * s.n_tup_hot_upd / nullif(s.n_tup_upd, 0), 1)
           AS hot_update_percent,
       s.n_live_tup AS live_rows,
       s.n_dead_tup AS dead_rows,
       pg_catalog.trunc(100.0 * s.n_dead_tup / nullif(s.n_live_tup + s.n_dead_tup, 0), 1)
           AS dead_percent,
       CASE WHEN t.relkind <> 'p' THEN
            pg_catalog.trunc(CAST(100 * s.n_dead_tup / nullif(t.vacuum_trigger_rows, 0)
                                  AS numeric), 0) END AS vacuum_due_percent,
       CASE WHEN t.relkind <> 'p' THEN
            pg_catalog.trunc(CAST(100 * s.n_mod_since_analyze
                                  / nullif(t.analyze_trigger_rows, 0) AS numeric), 0) END
           AS analyze_due_percent,
       t.autovacuum_on,
       greatest(s.last_vacuum, s.last_autovacuum) AS last_vacuum,
       greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze,
       pg_catalog.trunc(100.0 * (io.heap_blks_hit + coalesce(io.idx_blks_hit, 0))
           / nullif(io.heap_blks_hit + io.heap_blks_read + coalesce(io.idx_blks_hit, 0)
                    + coalesce(io.idx_blks_read, 0), 0), 2) AS cache_hit_percent,
       t.about_bytes,
       c.counted_since
  FROM monitoring.src_tables AS t
  LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = t.relid
  LEFT JOIN pg_catalog.pg_statio_all_tables AS io ON io.relid = t.relid
 CROSS JOIN (SELECT x.counted_since FROM monitoring.src_counted_since AS x
              WHERE x.database_name = pg_catalog.current_database()) AS c
 ORDER BY coalesce(s.seq_tup_read, 0) + coalesce(s.idx_tup_fetch, 0) + coalesce(s.n_tup_ins, 0)
          + coalesce(s.n_tup_upd, 0) + coalesce(s.n_tup_del, 0) DESC,
          t.schema_name, t.table_name;

COMMENT ON VIEW monitoring.v_table_activity IS
'What is read and written, busiest table first, one row for each partition too. Look for many
rows_read_by_seq_scans on a large table (missing index), a low hot_update_percent on an updated
one (an index too many, or fillfactor), vacuum_due_percent or analyze_due_percent well over 100
(autovacuum does not keep up), and a partitioned table with no last_analyze (autovacuum never
analyzes it). Rows are estimates; about_bytes is the heap as the last VACUUM or ANALYZE saw it.';

GRANT SELECT ON monitoring.v_table_activity TO pg_monitor;
