-- what: small caches of transaction states and the like that are too small
-- check: transaction caches
-- scope: server
-- rank: 58
-- servers: 14..18
-- Reads an hour. Many subtransactions (savepoints, EXCEPTION blocks) beside a long transaction, or
-- row locks shared by many. From 17 on their sizes are settings, named as the caches are.
SELECT CASE WHEN r.per_hour >= monitoring.threshold('slru_reads_critical', '100000000')::numeric
            THEN 'critical' ELSE 'warning' END,
       format('the cache %s reads %s pages an hour', r.name, trunc(r.per_hour)),
       format('%s read, %s found since %s', r.blks_read, r.blks_hit,
              date_trunc('second', r.since)),
       'mean since the counters began',
       (SELECT format('ALTER SYSTEM SET %I = %s; -- takes a restart', p.name,
                      2 * current_setting('block_size')::bigint / 8192
                      * greatest(p.setting::bigint, 16))
          FROM pg_settings AS p WHERE p.name = r.name || '_buffers')
  FROM (SELECT s.*, s.blks_read / greatest(extract(epoch FROM clock_timestamp() - s.since) / 3600,
                                           1)::numeric AS per_hour
          FROM (SELECT u.name, u.blks_read, u.blks_hit,
                       greatest(u.stats_reset, CASE WHEN u.stats_reset IS NULL
                                                    THEN pg_postmaster_start_time() END) AS since
                  FROM pg_stat_slru AS u) AS s) AS r
 WHERE r.per_hour >= monitoring.threshold('slru_reads_warning', '1000000')::numeric
   AND r.blks_read > 0.01 * r.blks_hit;
