-- what: tasks that a killed pgdeck did not end, and runs by hand that nobody goes on with; who asks
--       holds the lock
-- servers: 14..
WITH run AS (
    UPDATE pgdeck.maintenance_run SET state = 'stopped', finished_at = clock_timestamp()
     WHERE state = 'running' AND window_begin IS NULL
)
UPDATE pgdeck.maintenance_task AS t
   SET state = 'stopped', error = 'pgdeck ended in the middle of it', finished_at = clock_timestamp()
 WHERE t.state = 'running'
