-- what: the indexes that the newest apply which built some has built, and when
-- servers: 14..
WITH built AS (
    SELECT j.apply_id, parse_ident(substr(j.key, 7)) AS names, j.started_at, j.finished_at
      FROM pgdeck.journal j
     WHERE j.advisor = 'index' AND j.state = 'done' AND starts_with(j.key, 'index ')
       AND j.sql !~* '^\s*drop\s'
), newest AS (
    SELECT b.apply_id, min(b.started_at)::text AS began, max(b.finished_at)::text AS ended
      FROM built b
     GROUP BY b.apply_id
     ORDER BY max(b.finished_at) DESC
     LIMIT 1
)
SELECT DISTINCT b.names[1] AS schema, b.names[2] AS name, n.began, n.ended
  FROM newest n
  JOIN built b ON b.apply_id = n.apply_id
