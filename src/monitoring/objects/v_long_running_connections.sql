-- what: connections, transactions and statements that have lasted long
-- object: view monitoring.v_long_running_connections
-- servers: 14..18
CREATE OR REPLACE VIEW monitoring.v_long_running_connections AS
SELECT a.pid,
       a.datname AS database_name,
       a.usename AS role_name,
       a.application_name,
       a.client_addr,
       coalesce(a.state, 'not visible to this role') AS state,
       pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - a.backend_start)
           AS connected_for,
       pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - a.xact_start)
           AS in_transaction_for,
       pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - a.state_change)
           AS in_state_for,
       pg_catalog.concat_ws(', ',
           CASE WHEN a.state LIKE 'idle in transaction%' THEN 'idle in transaction' END,
           CASE WHEN a.xact_start < pg_catalog.clock_timestamp() - interval '1 minute'
                THEN 'transaction over 1 minute' END,
           CASE WHEN a.state = 'active'
                     AND a.query_start < pg_catalog.clock_timestamp() - interval '1 minute'
                THEN 'statement over 1 minute' END,
           CASE WHEN a.backend_start < pg_catalog.clock_timestamp() - interval '1 hour'
                THEN 'connected over 1 hour' END) AS why,
       a.wait_event_type,
       a.wait_event,
       pg_catalog.age(a.backend_xmin) AS holds_back_transactions,
       pg_catalog.left(a.query, 200) AS query
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.backend_type = 'client backend'
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND (a.state LIKE 'idle in transaction%'
        OR a.xact_start < pg_catalog.clock_timestamp() - interval '1 minute'
        OR a.backend_start < pg_catalog.clock_timestamp() - interval '1 hour')
 ORDER BY a.xact_start NULLS LAST, a.backend_start, a.pid;

COMMENT ON VIEW monitoring.v_long_running_connections IS
'Connections of the whole server that are idle in transaction, in a transaction for over 1 minute,
or open for over 1 hour. Look at the first rows: a long in_transaction_for with state "idle in
transaction" holds locks and stops vacuum; holds_back_transactions says how many transactions
ago its oldest snapshot is. SELECT pg_terminate_backend(pid) ends one. A connection that is merely
old is a pool at work. Needs pg_monitor to see other roles'' sessions.';

GRANT SELECT ON monitoring.v_long_running_connections TO pg_monitor;
