-- what: a new apply, or an unfinished one taken over
-- servers: 14..
-- $1 id uuid (null: new)  $2 deck text  $3 server text  $4 host text  $5 pid int  $6 version text
INSERT INTO pgdeck.apply (id, deck, server, state, host, pid, version)
VALUES (coalesce($1::uuid, gen_random_uuid()), $2, $3, 'running', $4, $5::int, $6)
ON CONFLICT (id) DO UPDATE
   SET state = 'running', host = excluded.host, pid = excluded.pid, version = excluded.version
RETURNING id
