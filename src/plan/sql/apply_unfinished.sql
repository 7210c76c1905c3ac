-- what: the newest apply on this server that did not reach its end
-- servers: 14..
-- $1 server text
SELECT id
  FROM (SELECT id, state FROM pgdeck.apply WHERE server = $1 ORDER BY started_at DESC LIMIT 1) a
 WHERE state IN ('running', 'failed')
