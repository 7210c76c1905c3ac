-- what: share of block reads that PostgreSQL's own cache answered, and the time that it covers
-- object: view monitoring.v_cache_hit_ratio
-- servers: 14..18
-- after: monitoring.src_counted_since, monitoring.database_history
CREATE OR REPLACE VIEW monitoring.v_cache_hit_ratio AS
SELECT s.datname AS database_name,
       s.blks_hit AS blocks_hit,
       s.blks_read AS blocks_read,
       CASE WHEN s.blks_hit + s.blks_read >= 10000
            THEN pg_catalog.trunc(100.0 * s.blks_hit / (s.blks_hit + s.blks_read), 2) END
           AS hit_percent,
       c.counted_since,
       c.counted_for,
       CASE WHEN s.blks_hit + s.blks_read < 10000
            THEN 'too few reads to say (under 10000 blocks)'
            WHEN c.counted_for > interval '1 hour'
            THEN 'mean of the whole counted time: hides what happened in the last hour'
            ELSE 'mean of the counted time' END AS reading,
       CASE WHEN i.hit + i.read >= 1000
            THEN pg_catalog.trunc(100.0 * i.hit / (i.hit + i.read), 2) END AS interval_hit_percent,
       i.read AS interval_blocks_read,
       i.at AS interval_since
  FROM pg_catalog.pg_stat_database AS s
  JOIN monitoring.src_counted_since AS c ON c.database_oid = s.datid
  LEFT JOIN LATERAL (
        SELECT h.at, s.blks_hit - h.blocks_hit AS hit, s.blks_read - h.blocks_read AS read
          FROM monitoring.database_history AS h
         WHERE h.at >= pg_catalog.now() - interval '1 hour'
           AND h.at <= pg_catalog.now() - interval '1 minute'
           AND h.counted_since IS NOT DISTINCT FROM c.counted_since
           AND h.blocks_hit <= s.blks_hit AND h.blocks_read <= s.blks_read
         ORDER BY h.at DESC
         LIMIT 1) AS i ON s.datname = pg_catalog.current_database()
 WHERE s.datname IS NOT NULL
 ORDER BY hit_percent NULLS LAST, database_name;

COMMENT ON VIEW monitoring.v_cache_hit_ratio IS
'Share of block reads found in shared_buffers. Look at interval_hit_percent first: it is since the
last sample that is over a minute old (interval_since; record_performance_metrics() takes them), of
this database only, and empty below 1000 blocks. hit_percent is the mean since counted_since: 99 %
there can be 7 % right now. A miss may still have come from the operating system''s cache.';

GRANT SELECT ON monitoring.v_cache_hit_ratio TO pg_monitor;
