-- what: which of these files the server finds, from its data directory
-- servers: 14..
-- $1 names text[]
-- returns: a row each
SELECT name, (pg_stat_file(name, true)).size IS NOT NULL AS is_there
  FROM unnest($1::text[]) AS name
