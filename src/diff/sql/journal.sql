-- what: the newest of what pgdeck did to each thing in this database
-- servers: 14..
SELECT DISTINCT ON (key) replace(key, '"', '') AS key, state,
       to_char(coalesce(finished_at, started_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') AS at
  FROM pgdeck.journal
 ORDER BY key, started_at DESC
