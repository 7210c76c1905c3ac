-- what: when a file of the server was last written
-- servers: 14..
-- $1 path text
SELECT to_char(modification AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') AS written_at
  FROM pg_stat_file($1, true)
