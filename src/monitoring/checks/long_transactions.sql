-- what: transactions and statements that have run for long
-- check: long transactions
-- scope: database
-- rank: 26
-- servers: 14..18
-- Idle ones are of another check. Dumps and base backups are long by nature: to know only.
(SELECT CASE WHEN s.application_name IN ('pg_dump', 'pg_dumpall', 'pg_basebackup') THEN 'info'
             WHEN s.open_for >= w.transaction_critical OR s.running_for >= w.query_critical
             THEN 'critical' ELSE 'warning' END,
        format('session %s (%I, %s) has been %s', s.pid, s.usename,
               coalesce(nullif(s.application_name, ''), 'no application name'),
               CASE WHEN s.running_for >= w.query_warning
                    THEN format('running one statement for %s', date_trunc('second', s.running_for))
                    ELSE format('in one transaction for %s', date_trunc('second', s.open_for)) END),
        format('%sits snapshot keeps vacuum from the dead rows of the last %s transactions: %s',
               CASE WHEN s.wait_event IS NOT NULL
                    THEN format('waits for %s (%s); ', s.wait_event_type, s.wait_event) ELSE '' END,
               coalesce(age(s.backend_xmin)::text, '0'), left(s.query, 100)),
        'measured',
        format('SELECT pg_cancel_backend(pid) FROM pg_stat_activity '
               'WHERE pid = %s AND backend_start = %L;', s.pid, s.backend_start)
   FROM (SELECT a.*, clock_timestamp() - a.xact_start AS open_for,
                CASE WHEN a.state = 'active' THEN clock_timestamp() - a.query_start END
                    AS running_for
           FROM pg_stat_activity AS a
          WHERE a.backend_type = 'client backend'
            AND a.state IN ('active', 'fastpath function call')
            AND a.datname = current_database() AND a.pid <> pg_backend_pid()) AS s
  CROSS JOIN (SELECT monitoring.threshold('long_transaction_warning', '30 min')::interval
                         AS transaction_warning,
                     monitoring.threshold('long_transaction_critical', '4 h')::interval
                         AS transaction_critical,
                     monitoring.threshold('long_query_warning', '15 min')::interval
                         AS query_warning,
                     monitoring.threshold('long_query_critical', '2 h')::interval
                         AS query_critical)
        AS w
  WHERE s.open_for >= w.transaction_warning OR s.running_for >= w.query_warning
  ORDER BY s.open_for DESC
  LIMIT 20)
 UNION ALL
SELECT 'unknown', 'transactions of other roles are not visible',
       format('%I is not a member of pg_read_all_stats', current_user),
       'not measurable with this role', format('GRANT pg_monitor TO %I;', current_user)
 WHERE NOT pg_has_role('pg_read_all_stats', 'USAGE');
