-- what: history that is recorded no longer, and what it lacks
-- check: history
-- scope: database
-- rank: 90
-- servers: 14..18
SELECT 'warning', format('no sample for %s', date_trunc('second', now() - h.last)),
       'record_performance_metrics() was run from cron until then; trends and ratios of '
       'the interval are missing since', 'measured',
       'SELECT monitoring.record_performance_metrics();'
  FROM (SELECT max(d.at) AS last FROM monitoring.database_history AS d) AS h
 WHERE h.last < now() - interval '1 hour'
 UNION ALL
SELECT 'info', format('statements are missing from %s to %s', date_trunc('second', g.since),
                      date_trunc('second', g.until)), g.why, 'measured', NULL
  FROM (SELECT * FROM monitoring.history_gaps AS x
         WHERE x.until > now() - interval '1 day' ORDER BY x.until DESC LIMIT 5) AS g;
