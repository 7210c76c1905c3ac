-- what: clients that connect anew all the time
-- check: session rate
-- scope: database
-- rank: 46
-- servers: 14..18
-- A new session costs the server more than most queries. A mean over all that was counted, of 10
-- minutes at least: shorter bursts do not show.
SELECT CASE WHEN r.per_second >= monitoring.threshold('session_rate_critical', '100')::numeric
            THEN 'critical' ELSE 'warning' END,
       format('%s new sessions a second', trunc(r.per_second, 1)),
       format('%s since %s, each for %s s on average', r.sessions,
              date_trunc('second', r.counted_since),
              round((r.session_time / 1000 / r.sessions)::numeric, 1)),
       'mean since the counters began; put a pool between (pgdeck pool)', NULL
  FROM (SELECT s.sessions, s.session_time, c.counted_since,
               s.sessions / greatest(extract(epoch FROM c.counted_for), 600)::numeric AS per_second
          FROM pg_stat_database AS s
          JOIN monitoring.src_counted_since AS c ON c.database_oid = s.datid
         WHERE s.datname = current_database() AND s.sessions > 0) AS r
 WHERE r.per_second >= monitoring.threshold('session_rate_warning', '10')::numeric;
