-- what: the tables that are read from outside of the cache
-- servers: 14..18
SELECT relid::regclass, heap_blks_read + idx_blks_read AS blocks_read, heap_blks_hit + idx_blks_hit AS blocks_hit
  FROM pg_statio_user_tables
 ORDER BY 2 DESC NULLS LAST
 LIMIT 10;
