-- what: who would see too little of a table that takes another's place now: transactions whose
--       snapshot is older than the transaction $1 (xid8), and who holds it without a session
-- servers: 14..
-- $1 xid8 text, $2 schema text, $3 table text
-- returns: who
SELECT format('pid %s, %s of %s, whose snapshot is of %s', a.pid, a.state, a.usename, a.xact_start) AS who
  FROM pg_stat_activity a
 -- what others are is not told to everybody: who has a role is a client
 WHERE coalesce(a.backend_type = 'client backend', a.usesysid IS NOT NULL) AND a.pid <> pg_backend_pid()
   AND a.datname = current_database()
   AND age(a.backend_xmin) > age(($1::xid8)::xid)
 UNION ALL
SELECT format('the prepared transaction "%s"', p.gid)
  FROM pg_locks l
  JOIN pg_locks x ON x.pid IS NULL AND x.locktype = 'transactionid' AND x.virtualtransaction = l.virtualtransaction
  JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
  JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE l.pid IS NULL AND l.locktype = 'relation' AND n.nspname = $2 AND c.relname = $3
