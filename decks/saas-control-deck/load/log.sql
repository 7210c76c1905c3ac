-- A line of a service's log. For pgbench.
-- weight: 6
\set dice random(1, 100)
INSERT INTO system_logs (service_name, log_level, message, context)
VALUES ('data_service', CASE WHEN :dice::int = 1 THEN 'ERROR' WHEN :dice::int < 10 THEN 'WARNING' ELSE 'INFO' END,
        'request ' || :dice::int, jsonb_build_object('dice', :dice::int));
