-- what: the newest apply on this server that is not rolled back
-- servers: 14..
-- $1 server text
SELECT id, deck, state, to_char(started_at, 'YYYY-MM-DD HH24:MI:SS TZ') AS started_at
  FROM pgdeck.apply
 WHERE server = $1 AND state <> 'rolled back'
 ORDER BY started_at DESC
 LIMIT 1
