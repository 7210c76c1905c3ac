-- what: how many connections are taken, and when nearly all are, which of them do nothing
-- servers: 14..
-- $1 idle_minutes integer, $2 query_minutes integer (not used here)
-- returns: severity, text, what, how, pid, backend_start, sql
WITH session AS (
    SELECT a.*, clock_timestamp() - a.state_change AS since,
           format('%s of %s on %s, %s', coalesce(nullif(a.application_name, ''), 'session'),
                  coalesce(a.usename, '?'), coalesce(a.datname, '?'), a.state) AS who,
           a.backend_type = 'client backend'
             AND a.application_name
                 !~* '^(pgdeck|pgbackrest|barman|wal-g|pg_dump|pg_basebackup|pg_probackup)'
             AND a.query !~* 'pg_(backup_start|start_backup)'
             AND a.pid <> pg_backend_pid() AS may
      FROM pg_stat_activity AS a
     WHERE a.backend_type = 'client backend'
), taken AS (
    SELECT count(*) AS used, current_setting('max_connections')::integer AS most,
           count(*) >= 0.9 * (current_setting('max_connections')::integer
             - current_setting('superuser_reserved_connections')::integer
             - coalesce(current_setting('reserved_connections', true), '0')::integer) AS is_full,
           count(*) FILTER (WHERE state = 'idle') AS idle,
           count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS in_transaction,
           $2::integer AS unused
      FROM session
), ranked AS (
    SELECT s.*, t.used, t.most, row_number() OVER (ORDER BY s.state = 'idle', s.since DESC) AS turn,
           s.since >= $1::integer * interval '1 minute' AS is_old
      FROM session AS s CROSS JOIN taken AS t
     WHERE t.is_full AND s.may
       AND (s.state = 'idle'
            OR s.state LIKE 'idle in transaction%' AND s.since >= interval '1 minute')
)
SELECT CASE WHEN t.is_full THEN 'critical' ELSE 'info' END AS severity,
       format('%s of %s connections are taken: %s idle, %s idle in a transaction', t.used, t.most,
              t.idle, t.in_transaction) AS text,
       NULL AS what, NULL AS how, NULL AS pid, NULL AS backend_start, NULL AS sql
  FROM taken AS t
 UNION ALL
(SELECT NULL, format('%s for %s%s', r.who, date_trunc('second', r.since),
                     CASE WHEN r.is_old OR r.state <> 'idle' THEN ''
                          ELSE '; longest of those that have to go for others to come in' END),
        format('end session %s', r.pid), 'terminate', r.pid::text, r.backend_start::text, NULL
   FROM ranked AS r
  -- sessions that are idle for less go only as far as a fifth of all needs to be free
  WHERE r.is_old OR r.state <> 'idle' OR r.turn <= r.used - 0.8 * r.most
  ORDER BY r.turn)
