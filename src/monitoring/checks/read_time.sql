-- what: storage that answers slowly
-- check: read time
-- scope: server
-- rank: 44
-- servers: 16..18
-- needs: column pg_catalog.pg_stat_io.read_time
-- Reads of tables and indexes by sessions, 1000 at least; what the kernel has cached counts too, so
-- the storage itself is slower still. Needs track_io_timing.
SELECT CASE WHEN r.mean_ms >= r.critical_ms THEN 'critical' ELSE 'warning' END,
       format('a read takes %s ms on average', round(r.mean_ms::numeric, 2)),
       format('%s reads since %s', r.reads, date_trunc('second', r.since)),
       'mean since the counters began', NULL
  FROM (SELECT sum(i.reads) AS reads, min(i.stats_reset) AS since,
               sum(i.read_time) / nullif(sum(i.reads), 0) AS mean_ms,
               1000 * extract(epoch FROM monitoring.threshold('read_time_warning',
                                                              '10 ms')::interval) AS warning_ms,
               1000 * extract(epoch FROM monitoring.threshold('read_time_critical',
                                                              '100 ms')::interval) AS critical_ms
          FROM pg_stat_io AS i
         WHERE i.object = 'relation' AND i.backend_type = 'client backend') AS r
 WHERE r.reads >= 1000 AND r.mean_ms >= r.warning_ms
   AND current_setting('track_io_timing')::boolean;
