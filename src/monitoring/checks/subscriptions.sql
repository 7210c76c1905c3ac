-- what: logical subscriptions that are switched off or have no worker
-- check: subscriptions
-- scope: database
-- rank: 35
-- servers: 14..18
-- A worker that fails starts again after seconds and fails again: at times it is there.
SELECT 'warning',
       format(CASE WHEN s.subenabled THEN 'subscription %I has no worker'
                   ELSE 'subscription %I is switched off' END, s.subname),
       'its slot on the publisher keeps WAL meanwhile; the server log says why', 'measured',
       CASE WHEN NOT s.subenabled THEN format('ALTER SUBSCRIPTION %I ENABLE;', s.subname) END
  FROM pg_stat_subscription AS w
  JOIN (SELECT u.oid, u.subname, u.subenabled, u.subdbid FROM pg_subscription AS u) AS s
    ON s.oid = w.subid
 WHERE s.subdbid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
 GROUP BY s.subname, s.subenabled
HAVING bool_and(w.pid IS NULL OR w.relid IS NOT NULL);
