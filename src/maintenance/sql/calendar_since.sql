-- what: from now on the calendar is kept here: windows that were over before are not made up for
-- servers: 14..
-- $1 environment text, $2 now timestamptz (null: the clock's), $3 host text, $4 pid integer
INSERT INTO pgdeck.maintenance_run (kind, environment, window_begin, state, host, pid)
SELECT 'calendar', $1, coalesce($2::timestamptz, clock_timestamp()), 'done', $3, $4::integer
 WHERE NOT EXISTS (SELECT FROM pgdeck.maintenance_run AS r
                    WHERE r.environment = $1 AND r.kind = 'calendar')
