-- what: begins a run, or takes over the one of this window that was broken off; no row: it is done.
--       Who asks holds the lock, so a run that runs is nobody's.
-- servers: 14..
-- $1 kind text, $2 environment text, $3 window_begin timestamptz, $4 host text, $5 pid integer
-- returns: id
INSERT INTO pgdeck.maintenance_run AS r (kind, environment, window_begin, state, host, pid)
VALUES ($1, $2, $3::timestamptz, 'running', $4, $5::integer)
ON CONFLICT (environment, kind, window_begin) DO UPDATE
   SET tries = r.tries + 1, host = excluded.host, pid = excluded.pid
 WHERE r.state = 'running'
RETURNING id
