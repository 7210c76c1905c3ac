-- what: how much write-ahead log is made and kept, why it is kept, and whether archiving works
-- object: view monitoring.v_wal_status
-- servers: 14..18
CREATE OR REPLACE VIEW monitoring.v_wal_status AS
SELECT pg_catalog.pg_is_in_recovery() AS is_standby,
       l.lsn AS current_lsn,
       f.files AS wal_files,
       f.bytes AS wal_files_bytes,
       (SELECT CAST(s.setting AS bigint) * 1048576 FROM pg_catalog.pg_settings AS s
         WHERE s.name = 'max_wal_size') AS max_wal_size_bytes,
       w.wal_bytes AS written_bytes,
       pg_catalog.round(w.wal_bytes / nullif(CAST(EXTRACT(epoch FROM pg_catalog.now()
           - w.stats_reset) AS numeric), 0)) AS mean_bytes_per_s,
       w.wal_fpi AS full_page_images,
       pg_catalog.trunc(100.0 * w.wal_fpi / nullif(w.wal_records, 0), 1)
           AS full_page_images_per_100_records,
       w.wal_buffers_full AS buffers_full,
       w.stats_reset AS counted_since,
       s.slots,
       s.inactive AS inactive_slots,
       s.kept AS bytes_kept_for_slots,
       CASE pg_catalog.current_setting('archive_mode') WHEN 'off' THEN 'off'
            ELSE CASE WHEN a.last_failed_time > coalesce(a.last_archived_time, '-infinity')
                      THEN 'failing' ELSE 'working' END END AS archiving,
       a.last_archived_time,
       a.last_failed_time,
       a.last_failed_wal
  FROM pg_catalog.pg_stat_wal AS w
 CROSS JOIN pg_catalog.pg_stat_archiver AS a
 CROSS JOIN (SELECT CASE WHEN pg_catalog.pg_is_in_recovery()
                         THEN pg_catalog.pg_last_wal_replay_lsn()
                         ELSE pg_catalog.pg_current_wal_lsn() END AS lsn) AS l
 CROSS JOIN (SELECT pg_catalog.count(*) AS files, pg_catalog.sum(d.size) AS bytes
               FROM pg_catalog.pg_ls_waldir() AS d) AS f
 CROSS JOIN LATERAL (
        SELECT pg_catalog.count(*) AS slots,
               pg_catalog.count(*) FILTER (WHERE NOT r.active) AS inactive,
               pg_catalog.max(pg_catalog.pg_wal_lsn_diff(l.lsn, r.restart_lsn)) AS kept
          FROM pg_catalog.pg_replication_slots AS r) AS s;

COMMENT ON VIEW monitoring.v_wal_status IS
'One row about the write-ahead log. Look for wal_files_bytes well above max_wal_size_bytes (a slot,
wal_keep_size or failing archiving holds it back), inactive_slots above 0 with growing
bytes_kept_for_slots (the disk will fill), archiving = failing, many
full_page_images_per_100_records (checkpoints come too often), and buffers_full that grows
(wal_buffers). Means are since counted_since.';

GRANT SELECT ON monitoring.v_wal_status TO pg_monitor;
