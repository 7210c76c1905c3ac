-- what: tasks that a killed pgdeck did not end
-- servers: 14..
UPDATE pgdeck.maintenance_task AS t
   SET state = 'stopped', error = 'pgdeck ended in the middle of it', finished_at = clock_timestamp()
 WHERE t.state = 'running'
