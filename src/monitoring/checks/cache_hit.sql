-- what: a low cache hit ratio over the time that the counters cover
-- check: cache hit
-- scope: database
-- rank: 60
-- servers: 14..18
SELECT CASE WHEN r.hit_percent IS NULL THEN 'info'
            WHEN r.hit_percent < monitoring.threshold('cache_hit_critical', '80')::numeric
            THEN 'critical'
            WHEN r.hit_percent < monitoring.threshold('cache_hit_warning', '90')::numeric
            THEN 'warning' ELSE 'ok' END,
       CASE WHEN r.hit_percent IS NULL THEN 'cache hit ratio: ' || r.reading
            ELSE format('cache hit ratio %s %% since %s', r.hit_percent,
                        date_trunc('second', r.counted_since)) END,
       format('%s hits, %s reads in %s', r.blocks_hit, r.blocks_read, r.counted_for),
       r.reading,
       CASE WHEN r.hit_percent < monitoring.threshold('cache_hit_warning', '90')::numeric
            THEN 'SELECT * FROM monitoring.v_table_activity '
                 'ORDER BY rows_read_by_seq_scans DESC NULLS LAST LIMIT 10; '
                 '-- a missing index first, then shared_buffers' END
  FROM monitoring.v_cache_hit_ratio AS r
 WHERE r.database_name = current_database();
