-- what: when pgdeck built which index: PostgreSQL itself does not record it
-- servers: 14..
SELECT (parse_ident(substr(key, 7)))[1] AS schema, (parse_ident(substr(key, 7)))[2] AS name,
       greatest(0, floor(extract(epoch FROM now() - max(finished_at))))::bigint AS age_seconds
  FROM pgdeck.journal
 WHERE advisor = 'index' AND state = 'done' AND starts_with(key, 'index ')
 GROUP BY 1, 2
