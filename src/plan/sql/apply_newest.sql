-- what: the newest apply on this server that is not rolled back
-- servers: 14..
-- $1 server text
SELECT id
  FROM pgdeck.apply
 WHERE server = $1 AND state <> 'rolled back'
 ORDER BY started_at DESC
 LIMIT 1
