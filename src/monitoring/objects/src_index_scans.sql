-- what: scans of each index, and when the last one was
-- object: view monitoring.src_index_scans
-- servers: 16..18
-- needs: column pg_catalog.pg_stat_all_indexes.last_idx_scan
CREATE OR REPLACE VIEW monitoring.src_index_scans AS
SELECT s.indexrelid AS index_oid,
       s.idx_scan AS scans,
       s.idx_tup_read AS entries_read,
       s.idx_tup_fetch AS rows_fetched,
       s.last_idx_scan AS last_scan
  FROM pg_catalog.pg_stat_all_indexes AS s;

COMMENT ON VIEW monitoring.src_index_scans IS
'Counters of each index, one shape for all servers; read v_index_usage instead.';

GRANT SELECT ON monitoring.src_index_scans TO pg_monitor;
