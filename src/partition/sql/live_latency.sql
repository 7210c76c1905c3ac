-- what: how long the log of a conversion made changes wait since the last look
-- servers: 14..
-- variables: log, after (entry), most_ms
-- returns: entries, slow (of them), slowest_ms, last (entry)
SELECT count(*) AS entries, count(*) FILTER (WHERE took_ms > :most_ms) AS slow,
       ceil(max(took_ms))::bigint AS slowest_ms, max(seq) AS last
  FROM pgdeck.:"log" WHERE seq > :after
