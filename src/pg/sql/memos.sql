-- what: for every key the newest change that was done and not undone
-- servers: 14..
SELECT DISTINCT ON (key) key, coalesce(declared, '') AS declared, coalesce(observed, '') AS observed,
       to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') AS done_at
  FROM pgdeck.journal
 WHERE state = 'done' AND declared IS NOT NULL
 ORDER BY key, started_at DESC
