-- what: whom a session waits for: sessions and prepared transactions
-- servers: 14..
-- $1 pid int
SELECT a.pid, coalesce(a.application_name, '') AS application, a.usename AS role,
       coalesce(a.state, a.backend_type, '') AS state,
       floor(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.backend_start)))::bigint
         AS seconds,
       left(regexp_replace(coalesce(a.query, ''), '\s+', ' ', 'g'), 80) AS query, NULL AS gid
  FROM (SELECT DISTINCT unnest(pg_blocking_pids($1::int)) AS pid) b
  JOIN pg_stat_activity a ON a.pid = b.pid
UNION ALL
SELECT NULL, '', x.owner, 'prepared',
       floor(extract(epoch FROM clock_timestamp() - x.prepared))::bigint, '', x.gid
  FROM pg_prepared_xacts x
 WHERE 0 = ANY (pg_blocking_pids($1::int))
   AND EXISTS (SELECT FROM pg_locks own -- on itself: says under which name it holds others
                 JOIN pg_locks held ON held.virtualtransaction = own.virtualtransaction
                                   AND held.pid IS NULL
                 JOIN pg_locks wanted
                   ON (held.locktype, held.database, held.relation, held.transactionid)
                      IS NOT DISTINCT FROM
                      (wanted.locktype, wanted.database, wanted.relation, wanted.transactionid)
                WHERE own.locktype = 'transactionid' AND own.transactionid = x.transaction
                  AND own.pid IS NULL AND NOT wanted.granted AND wanted.pid = $1::int)
 ORDER BY seconds DESC
