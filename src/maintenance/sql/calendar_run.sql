-- what: what became of a window, and since when the calendar is kept here
-- servers: 14..
-- $1 environment text, $2 kind text, $3 begin timestamptz, $4 window_ms bigint
-- returns: state (null: not begun), is_owed (it ended after the calendar began to be kept)
SELECT (SELECT r.state FROM pgdeck.maintenance_run AS r
         WHERE r.environment = $1 AND r.kind = $2 AND r.window_begin = $3::timestamptz) AS state,
       coalesce((SELECT min(r.window_begin) FROM pgdeck.maintenance_run AS r
                  WHERE r.environment = $1 AND r.kind = 'calendar')
                < $3::timestamptz + $4::bigint * interval '1 millisecond', false) AS is_owed
