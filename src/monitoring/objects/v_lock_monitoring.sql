-- what: the tree of sessions that wait for each other, its heads first, and how to end each head
-- object: view monitoring.v_lock_monitoring
-- servers: 14..18
-- after: monitoring.lock_tree()
CREATE OR REPLACE VIEW monitoring.v_lock_monitoring AS
SELECT l.depth, l.session, l.pid, l.prepared_transaction, l.database_name, l.role_name,
       l.application_name, l.state, l.waits_for, l.waiting_for, l.in_transaction_for,
       l.sessions_behind, l.query, l.fix_sql
  FROM monitoring.lock_tree() AS l;

COMMENT ON VIEW monitoring.v_lock_monitoring IS
'The sessions that wait for locks as a tree: at depth 0 whoever waits for nobody and is in the way
of all below. Look at the depth 0 row with the most sessions_behind: is it "idle in transaction", or
a prepared transaction that nobody finishes (prepared_transaction; it has no pid)? fix_sql ends
it; a prepared one may also be committed (COMMIT PREPARED): ask its transaction manager. No rows:
nobody waits.';

GRANT SELECT ON monitoring.v_lock_monitoring TO pg_monitor;
