-- what: who is at the maintenance of this database
-- servers: 14..
SELECT format('%s (pid %s, since %s)', a.application_name, a.pid,
              date_trunc('second', a.backend_start)) AS holder
  FROM pg_locks AS l
  JOIN pg_stat_activity AS a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND (l.classid::bigint << 32 | l.objid::bigint) = x'7067646563'::bigint * 256 + 109
