-- what: who holds a lock on a table beside which no index can be built: sessions and prepared
--       transactions
-- servers: 14..
-- $1 schema text, $2 table text
SELECT DISTINCT a.pid, coalesce(a.application_name, '') AS application,
       coalesce(a.usename, x.owner) AS role,
       coalesce(a.state, a.backend_type, 'prepared') AS state,
       floor(extract(epoch FROM clock_timestamp()
                                - coalesce(a.xact_start, a.backend_start, x.prepared)))::bigint
         AS seconds,
       left(regexp_replace(coalesce(a.query, ''), '\s+', ' ', 'g'), 80) AS query, x.gid
  FROM pg_locks l
  LEFT JOIN pg_stat_activity a ON a.pid = l.pid
  LEFT JOIN (SELECT p.*, own.virtualtransaction
               FROM pg_prepared_xacts p
               JOIN pg_locks own ON own.locktype = 'transactionid' AND own.pid IS NULL
                                AND own.transactionid = p.transaction) x
    ON l.pid IS NULL AND x.virtualtransaction = l.virtualtransaction
 WHERE l.locktype = 'relation' AND l.relation = (
         SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = $1 AND c.relname = $2) AND l.granted
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND l.pid IS DISTINCT FROM pg_backend_pid()
   AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock',
                  'ExclusiveLock', 'AccessExclusiveLock')
 ORDER BY seconds DESC
