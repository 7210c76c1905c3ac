-- what: share of block reads that PostgreSQL's own cache answered, and the time that it covers
-- object: view monitoring.v_cache_hit_ratio
-- servers: 14..18
-- after: monitoring.src_counted_since
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
            ELSE 'mean of the counted time' END AS reading
  FROM pg_catalog.pg_stat_database AS s
  JOIN monitoring.src_counted_since AS c ON c.database_oid = s.datid
 WHERE s.datname IS NOT NULL
 ORDER BY hit_percent NULLS LAST, database_name;

COMMENT ON VIEW monitoring.v_cache_hit_ratio IS
'Share of block reads found in shared_buffers, as a mean since counted_since. Look for a
hit_percent below the target, but trust it only for the past: 99 % since the reset can be 7 %
right now; read it twice, a minute apart, and divide the differences of blocks_hit and
blocks_read. A miss may still have come from the operating system''s cache. hit_percent is empty
below 10000 blocks.';

GRANT SELECT ON monitoring.v_cache_hit_ratio TO pg_monitor;
