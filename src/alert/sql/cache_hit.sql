-- what: the tables that are read from outside of the cache, and what mends it
-- servers: 14..18
SELECT t.relid::regclass AS table, b.heap_blks_read + coalesce(b.idx_blks_read, 0) AS blocks_read,
       round(100.0 * b.heap_blks_hit / greatest(b.heap_blks_hit + b.heap_blks_read, 1), 1) AS hit,
       t.seq_scan, t.idx_scan, t.n_dead_tup,
       CASE WHEN t.n_dead_tup > 1000 + t.n_live_tup / 2 THEN format('VACUUM %s;', t.relid::regclass)
            WHEN t.seq_scan > 100 AND t.seq_tup_read / t.seq_scan > 10000 THEN 'pgdeck index advise'
            ELSE 'pgdeck tune: whether shared_buffers is what the machine has room for'
       END AS mend
  FROM pg_statio_user_tables AS b
  JOIN pg_stat_user_tables AS t USING (relid)
 ORDER BY 2 DESC NULLS LAST
 LIMIT 10;
