-- what: commits that wait for a synchronous standby that is not there
-- check: synchronous replication
-- scope: server
-- rank: 4
-- servers: 14..18
SELECT 'critical', 'commits wait: no synchronous standby is connected',
       format('synchronous_standby_names is %L; %s standbys are connected',
              current_setting('synchronous_standby_names'),
              (SELECT count(*) FROM pg_stat_replication)),
       'measured',
       'ALTER SYSTEM SET synchronous_standby_names = ''''; SELECT pg_reload_conf(); -- commits are '
       'on this server only then'
 WHERE NOT pg_is_in_recovery() AND current_setting('synchronous_standby_names') <> ''
   AND pg_has_role('pg_read_all_stats', 'USAGE')
   AND NOT EXISTS (SELECT FROM pg_stat_replication AS r WHERE r.sync_state IN ('sync', 'quorum'))
 UNION ALL
SELECT 'unknown', 'standbys are not visible',
       format('%I is not a member of pg_read_all_stats', current_user),
       'not measurable with this role', format('GRANT pg_monitor TO %I;', current_user)
 WHERE NOT pg_has_role('pg_read_all_stats', 'USAGE')
   AND current_setting('synchronous_standby_names') <> '';
