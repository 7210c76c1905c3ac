-- what: the newest that pgdeck did to each thing, if it was not taken back
-- servers: 14..
SELECT key, sql, done_at
  FROM (SELECT DISTINCT ON (key) key, state, coalesce(sql, '') AS sql,
               to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') AS done_at
          FROM pgdeck.journal
         WHERE state IN ('done', 'undone', 'kept')
         ORDER BY key, started_at DESC) newest
 WHERE state <> 'undone'
