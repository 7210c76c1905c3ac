-- what: who holds the lock of lock_take.sql
-- servers: 14..
SELECT a.pid, coalesce(a.application_name, '') AS application_name,
       coalesce(a.usename, '') AS role,
       coalesce(host(a.client_addr), 'a local socket') AS address,
       to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ') AS since
  FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND (l.classid::bigint << 32 | l.objid::bigint) = x'7067646563'::bigint * 256 + 107
