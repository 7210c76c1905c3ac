-- what: the newest apply on this server that is not rolled back
-- servers: 14..
-- $1 server text  $2 deck text
SELECT id
  FROM pgdeck.apply
 WHERE server = $1 AND deck = $2 AND state <> 'rolled back'
 ORDER BY started_at DESC
 LIMIT 1
