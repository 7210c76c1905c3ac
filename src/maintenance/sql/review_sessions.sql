-- what: how the connections of this database were used since its counters began
-- servers: 14..
-- returns: since, sessions, abandoned, killed, active, idle_in_transaction, deadlocks, now
SELECT coalesce(date_trunc('second', d.stats_reset)::text, 'its beginning') AS since,
       d.sessions::text AS sessions, d.sessions_abandoned::text AS abandoned,
       d.sessions_killed::text AS killed,
       round((d.active_time / 1000 / k.seconds)::numeric, 2)::text AS active,
       round((d.idle_in_transaction_time / 1000 / k.seconds)::numeric, 2)::text
         AS idle_in_transaction,
       d.deadlocks::text AS deadlocks, d.numbackends::text AS now
  FROM pg_stat_database AS d
 CROSS JOIN LATERAL (SELECT greatest(1, extract(epoch FROM clock_timestamp()
                            - coalesce(d.stats_reset, pg_postmaster_start_time()))) AS seconds) AS k
 WHERE d.datname = current_database()
