-- what: how each partition is read, and whether queries of its table are kept to few partitions
-- object: view monitoring.partition_scan_stats
-- servers: 14..18
-- after: monitoring.src_tables
CREATE OR REPLACE VIEW monitoring.partition_scan_stats AS
SELECT r.relname AS table_name,
       c.relname AS partition_name,
       pg_catalog.pg_get_expr(c.relpartbound, 0) AS bound,
       s.seq_scan AS sequential_scans,
       s.idx_scan AS index_scans,
       s.seq_tup_read + coalesce(s.idx_tup_fetch, 0) AS rows_read,
       pg_catalog.trunc(100.0 * (s.seq_scan + coalesce(s.idx_scan, 0))
           / nullif(pg_catalog.sum(s.seq_scan + coalesce(s.idx_scan, 0))
                    OVER (PARTITION BY t.root_relid), 0), 1) AS scans_percent,
       pg_catalog.trunc(CAST(pg_catalog.min(s.seq_scan + coalesce(s.idx_scan, 0))
                             OVER (PARTITION BY t.root_relid) AS numeric) * 100
           / nullif(pg_catalog.max(s.seq_scan + coalesce(s.idx_scan, 0))
                    OVER (PARTITION BY t.root_relid), 0), 1) AS evenness_percent,
       rn.nspname AS table_schema
  FROM monitoring.src_tables AS t
  JOIN pg_catalog.pg_class AS c ON c.oid = t.relid
  JOIN pg_catalog.pg_class AS r ON r.oid = t.root_relid
  JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
  JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = t.relid
 WHERE c.relispartition AND c.relkind = 'r'
 ORDER BY rn.nspname, r.relname, s.seq_scan + coalesce(s.idx_scan, 0) DESC, c.relname;

COMMENT ON VIEW monitoring.partition_scan_stats IS
'Scans of each partition since the statistics were reset. evenness_percent is the least read
partition against the most read one: near 100 on a table by time or list means that queries do not
name the partition column, so that each of them reads every partition; near 0 is what partitioning
is for. With HASH evenness is as it should be.';

GRANT SELECT ON monitoring.partition_scan_stats TO pg_monitor;
