-- what: the server connections of a role to this database
-- servers: 14..
-- $1 role text
-- returns: now, active, in_transaction, oldest
SELECT count(*)::text AS now, count(*) FILTER (WHERE a.state = 'active')::text AS active,
       count(*) FILTER (WHERE a.state LIKE 'idle in transaction%')::text AS in_transaction,
       coalesce(date_trunc('second', clock_timestamp() - min(a.backend_start))::text, '') AS oldest
  FROM pg_stat_activity AS a
 WHERE a.usename = $1 AND a.datname = current_database()
