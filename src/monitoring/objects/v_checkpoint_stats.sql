-- what: how often checkpoints come, why, and how long they take
-- object: view monitoring.v_checkpoint_stats
-- servers: 17..18
-- needs: column pg_catalog.pg_stat_checkpointer.num_timed
CREATE OR REPLACE VIEW monitoring.v_checkpoint_stats AS
SELECT c.num_timed AS timed,
       c.num_requested AS requested,
       pg_catalog.trunc(100.0 * c.num_requested / nullif(c.num_timed + c.num_requested, 0), 1)
           AS requested_percent,
       pg_catalog.date_trunc('second', (pg_catalog.now() - c.stats_reset)
           / nullif(c.num_timed + c.num_requested, 0)) AS mean_time_between,
       pg_catalog.round(CAST(c.write_time / 1000.0 / nullif(c.num_timed + c.num_requested, 0)
           AS numeric), 1) AS mean_write_s,
       pg_catalog.round(CAST(c.sync_time / 1000.0 / nullif(c.num_timed + c.num_requested, 0)
           AS numeric), 1) AS mean_sync_s,
       c.buffers_written AS buffers_by_checkpoints,
       b.buffers_clean AS buffers_by_writer,
       CAST(NULL AS bigint) AS buffers_by_backends,
       b.maxwritten_clean AS writer_stopped,
       pg_catalog.current_setting('checkpoint_timeout') AS checkpoint_timeout,
       pg_catalog.current_setting('max_wal_size') AS max_wal_size,
       c.stats_reset AS counted_since
  FROM pg_catalog.pg_stat_checkpointer AS c
 CROSS JOIN pg_catalog.pg_stat_bgwriter AS b;

COMMENT ON VIEW monitoring.v_checkpoint_stats IS
'One row about checkpoints since counted_since. Look for a requested_percent above 50: they come
because max_wal_size is full, not in time, and write every page whole again (raise max_wal_size);
mean_sync_s above some seconds: the disk cannot keep up. buffers_by_backends is always empty:
this version of PostgreSQL counts those in pg_stat_io (object relation, backend_type client
backend, writes).';

GRANT SELECT ON monitoring.v_checkpoint_stats TO pg_monitor;
