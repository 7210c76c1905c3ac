-- what: pages whose checksum was wrong, and servers that could not notice
-- check: checksums
-- scope: server
-- rank: 1
-- servers: 14..18
SELECT 'critical',
       format('%s damaged pages read in %s', s.checksum_failures,
              coalesce(format('database %I', s.datname), 'shared tables')),
       format('the last %s: storage or memory is failing', s.checksum_last_failure), 'measured',
       NULL
  FROM pg_stat_database AS s
 WHERE s.checksum_failures > 0
 UNION ALL
SELECT 'info', 'data checksums are off', 'damage by storage is noticed late, or never', 'measured',
       NULL
 WHERE current_setting('data_checksums') = 'off';
