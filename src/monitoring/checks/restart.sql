-- what: a server that was started a moment ago
-- check: restart
-- scope: server
-- rank: 95
-- servers: 14..18
SELECT 'info', format('the server was started %s ago',
                      date_trunc('second', clock_timestamp() - pg_postmaster_start_time())),
       'its cache may be cold still; after a crash all counters begin anew', 'measured', NULL
 WHERE pg_postmaster_start_time() > clock_timestamp() - interval '5 minutes';
