-- what: what is over the limits of the deck now, with the statement that mends it
-- object: view monitoring.v_performance_alerts
-- servers: 14..18
-- after: monitoring.check_database_health(), monitoring.deck_values
CREATE OR REPLACE VIEW monitoring.v_performance_alerts AS
SELECT pg_catalog.current_database() AS database_name,
       (SELECT v.value FROM monitoring.deck_values AS v
         WHERE v.kind = 'environment' AND v.name = pg_catalog.current_database()) AS environment,
       h.severity,
       h.check_name AS alert,
       h.finding,
       h.evidence,
       h.confidence,
       h.fix_sql
  FROM monitoring.check_database_health() AS h
 WHERE h.severity IN ('critical', 'warning');

COMMENT ON VIEW monitoring.v_performance_alerts IS
'What is over a limit now, critical first; an empty result is the healthy one. Limits are those of
the deck (alerts), see deck_values. Look at evidence and confidence, then run fix_sql. What could
not be measured is not here: SELECT * FROM check_database_health() WHERE severity = ''unknown''.';

GRANT SELECT ON monitoring.v_performance_alerts TO pg_monitor;
