-- what: the newest apply on this server that is not rolled back
-- servers: 14..
-- $1 server text
SELECT id
  FROM pgdeck.apply AS a
 WHERE server = $1 AND state <> 'rolled back'
 ORDER BY a.started_at DESC -- not the text above, which has whole seconds
 LIMIT 1
