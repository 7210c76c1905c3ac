-- what: how an apply ended
-- servers: 14..
-- $1 id uuid  $2 state text
UPDATE pgdeck.apply SET state = $2, finished_at = clock_timestamp() WHERE id = $1::uuid
