-- what: a low cache hit ratio: now where history is recorded, else since the counters began
-- check: cache hit
-- scope: database
-- rank: 60
-- servers: 14..18
-- Counters of under 10 minutes tell of a cache that fills, no more.
SELECT CASE WHEN r.percent IS NULL THEN 'ok'
            WHEN r.percent < monitoring.threshold('cache_hit_critical', '80')::numeric
            THEN 'critical'
            WHEN r.percent < monitoring.threshold('cache_hit_warning', '90')::numeric
            THEN 'warning' ELSE 'ok' END,
       CASE WHEN r.percent IS NULL AND r.hit_percent IS NOT NULL
            THEN 'cache hit ratio: too early to say'
            WHEN r.percent IS NULL THEN 'cache hit ratio: ' || r.reading
            ELSE format('cache hit ratio %s %% since %s', r.percent,
                        date_trunc('second', r.since)) END,
       format('%s %% since the counters began, of %s blocks', coalesce(r.hit_percent::text, '?'),
              r.blocks_hit + r.blocks_read),
       CASE WHEN r.interval_hit_percent IS NOT NULL THEN 'measured since the last sample'
            ELSE r.reading END,
       CASE WHEN r.percent < monitoring.threshold('cache_hit_warning', '90')::numeric
            THEN format('ALTER SYSTEM SET shared_buffers = %L; -- takes a restart. A missing index '
                        'can be the cause: SELECT * FROM monitoring.v_table_activity ORDER BY '
                        'rows_read_by_seq_scans DESC NULLS LAST LIMIT 10',
                        (SELECT 2 * s.setting::bigint
                                * (current_setting('block_size')::bigint / 1024) || 'kB'
                           FROM pg_settings AS s WHERE s.name = 'shared_buffers')) END
  FROM (SELECT v.*,
               coalesce(v.interval_hit_percent, CASE WHEN v.counted_for >= interval '10 minutes'
                                                     THEN v.hit_percent END) AS percent,
               CASE WHEN v.interval_hit_percent IS NOT NULL THEN v.interval_since
                    ELSE v.counted_since END AS since
          FROM monitoring.v_cache_hit_ratio AS v
         WHERE v.database_name = current_database()) AS r;
