-- what: the newest apply on this server if it did not reach its end, or, for an apply that only
--       restarts, the one whose settings wait for that
-- servers: 14..
-- $1 server text  $2 deck text  $3 only restarts boolean
SELECT id
  FROM (SELECT id, state FROM pgdeck.apply WHERE server = $1 AND deck = $2 ORDER BY started_at DESC LIMIT 1) a
 WHERE state IN ('running', 'failed') OR $3::boolean AND state = 'done'
