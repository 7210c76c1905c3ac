-- what: who is connected, in which state, for how long
-- object: view monitoring.v_connection_status
-- servers: 14..18
CREATE OR REPLACE VIEW monitoring.v_connection_status AS
SELECT a.datname AS database_name,
       a.usename AS role_name,
       a.application_name,
       a.client_addr,
       coalesce(a.state, 'not visible to this role') AS state,
       pg_catalog.count(*) AS connections,
       pg_catalog.count(*) FILTER (WHERE a.wait_event_type = 'Lock') AS waiting_for_lock,
       pg_catalog.date_trunc('second', pg_catalog.max(pg_catalog.now() - a.backend_start))
           AS oldest_connection,
       pg_catalog.date_trunc('second', pg_catalog.max(pg_catalog.now() - a.state_change))
           AS longest_in_state,
       pg_catalog.date_trunc('second', pg_catalog.max(pg_catalog.now() - a.xact_start))
           AS longest_transaction
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.backend_type = 'client backend'
 GROUP BY a.datname, a.usename, a.application_name, a.client_addr, a.state
 ORDER BY connections DESC, database_name, role_name, application_name, client_addr, state;

COMMENT ON VIEW monitoring.v_connection_status IS
'Client connections of the whole server by database, role, application, address and state. Look
for "idle in transaction" with a high longest_in_state (holds locks, stops vacuum),
waiting_for_lock above 0, and many idle connections of one application (its pool is too large).
Needs pg_monitor to see the state of other roles'' connections.';

GRANT SELECT ON monitoring.v_connection_status TO pg_monitor;
