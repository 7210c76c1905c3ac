-- what: what became of a window, and since when the calendar is kept here
-- servers: 14..
-- $1 environment text, $2 kind text, $3 begin timestamptz, $4 window_ms bigint
-- returns: state (null: not begun), is_owed (it ended after the calendar began to be kept, and no window
-- shortly before or after it was kept, as when the deck had another time or time zone: windows
-- of one kind are 23 hours, 7 or 28 days apart at least)
SELECT (SELECT r.state FROM pgdeck.maintenance_run AS r
         WHERE r.environment = $1 AND r.kind = $2 AND r.window_begin = $3::timestamptz) AS state,
       coalesce((SELECT min(r.window_begin) FROM pgdeck.maintenance_run AS r
                  WHERE r.environment = $1 AND r.kind = 'calendar')
                < $3::timestamptz + $4::bigint * interval '1 millisecond', false)
       AND NOT EXISTS (SELECT FROM pgdeck.maintenance_run AS r
                        WHERE r.environment = $1 AND r.kind = $2 AND r.state = 'done'
                          AND r.window_begin > $3::timestamptz - CASE $2
                              WHEN 'daily' THEN interval '18 hours'
                              WHEN 'weekly' THEN interval '5 days'
                              ELSE interval '20 days' END) AS is_owed
