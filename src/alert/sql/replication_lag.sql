-- what: run on the standby: resumes replay where it is paused, and says what it waits for
-- servers: 14..18
SELECT CASE WHEN pg_is_in_recovery() AND pg_is_wal_replay_paused()
            THEN 'resumed' || pg_wal_replay_resume()::text END AS replay,
       now() - pg_last_xact_replay_timestamp() AS behind,
       coalesce((SELECT status FROM pg_stat_wal_receiver), 'no receiver: see primary_conninfo, log')
           AS receiver,
       CASE WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_receive_lsn(),
                                                          pg_last_wal_replay_lsn()) END
           AS bytes_not_replayed,
       (SELECT format('SELECT pg_cancel_backend(%s); -- %s', pid, left(query, 100))
          FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND state = 'active' AND pid <> pg_backend_pid()
         ORDER BY xact_start LIMIT 1) AS ends_the_longest_query;
