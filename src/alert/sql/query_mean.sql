-- what: what makes statements slow now, and what mends it: each row of mend is to be run
-- servers: 14..18
SELECT 'runs for ' || date_trunc('second', now() - query_start) AS what,
       format('SELECT pg_cancel_backend(%s);', pid) AS mend, left(query, 200) AS detail
  FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND state = 'active' AND pid <> pg_backend_pid()
   AND query_start < now() - interval '10 seconds'
 UNION ALL
SELECT 'statistics are old', format('ANALYZE %s;', relid::regclass),
       format('%s rows were changed since, of %s', n_mod_since_analyze, n_live_tup)
  FROM pg_stat_user_tables
 WHERE n_mod_since_analyze > 1000 + n_live_tup / 5
 UNION ALL
SELECT 'dead rows', format('VACUUM %s;', relid::regclass),
       format('%s dead rows, %s live ones', n_dead_tup, n_live_tup)
  FROM pg_stat_user_tables
 WHERE n_dead_tup > 1000 + n_live_tup / 2
 UNION ALL
SELECT 'is read whole', 'pgdeck index advise',
       format('%s: %s scans of about %s rows', relid::regclass, seq_scan, seq_tup_read / seq_scan)
  FROM pg_stat_user_tables
 WHERE seq_scan > 100 AND seq_tup_read / seq_scan > 10000;
