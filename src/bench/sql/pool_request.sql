-- what: a transaction that keeps its server connection for 3 ms, of which this machine's CPU has
--   little: what the pools' sizes do is seen, not what else the machine does
-- servers: 14..
-- $1 number oid
-- returns: relname
SELECT relname, pg_sleep(0.003)
  FROM pg_catalog.pg_class
 WHERE oid = $1;
