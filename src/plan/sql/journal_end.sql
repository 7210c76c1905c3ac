-- what: how a change ended
-- servers: 14..
-- $1 apply id  $2 seq  $3 state  $4 observed  $5 error
UPDATE pgdeck.journal
   SET state = $3, observed = $4, error = $5, finished_at = clock_timestamp()
 WHERE apply_id = $1::uuid AND seq = $2::int
