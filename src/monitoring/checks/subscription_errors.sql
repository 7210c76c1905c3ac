-- what: logical subscriptions whose workers fail
-- check: subscription errors
-- scope: database
-- rank: 35
-- servers: 15..18
-- needs: column pg_catalog.pg_stat_subscription_stats.apply_error_count
-- Errors of long ago, of a worker that has run since, are of no use to anybody. A worker that
-- fails starts again after seconds (wal_retrieve_retry_interval): it is gone, or young.
SELECT 'warning',
       format('subscription %I fails again and again', u.subname),
       format('%s errors of apply, %s of copying tables since %s; nothing new arrives, and its slot '
              'on the publisher keeps WAL; the log of this server says which row it is',
              e.apply_error_count, e.sync_error_count,
              coalesce(date_trunc('second', e.stats_reset)::text, 'it was made')),
       'counted; no worker has run for a minute: after a start it can be of before',
       format('ALTER SUBSCRIPTION %I DISABLE; -- until the row is corrected: ENABLE then',
              u.subname)
  FROM pg_stat_subscription_stats AS e
  JOIN (SELECT s.oid, s.subname, s.subenabled, s.subdbid FROM pg_subscription AS s) AS u
    ON u.oid = e.subid
 WHERE u.subenabled
   AND u.subdbid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
   AND ((e.apply_error_count > 0 AND NOT EXISTS (
            SELECT FROM pg_stat_subscription AS w
              JOIN pg_stat_activity AS a ON a.pid = w.pid
             WHERE w.subid = u.oid AND w.relid IS NULL
               AND (a.backend_start < now() - interval '1 minute' OR a.backend_start IS NULL)))
        OR (e.sync_error_count > 0 AND EXISTS (
            SELECT FROM pg_subscription_rel AS r
             WHERE r.srsubid = u.oid AND r.srsubstate IN ('i', 'd') AND NOT EXISTS (
                   SELECT FROM pg_stat_subscription AS w
                     JOIN pg_stat_activity AS a ON a.pid = w.pid
                    WHERE w.subid = u.oid AND w.relid = r.srrelid
                      AND (a.backend_start < now() - interval '1 minute'
                           OR a.backend_start IS NULL)))));
