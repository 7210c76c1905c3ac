-- A line of a service's log. For pgbench.
-- weight: 6
\set dice random(1, 100)
INSERT INTO system_logs (service_name, log_level, message, context)
VALUES ('data_service', CASE WHEN :dice = 1 THEN 'ERROR' WHEN :dice < 10 THEN 'WARNING' ELSE 'INFO' END,
        'request ' || :dice, jsonb_build_object('dice', :dice));
