-- what: sets a sequence where there is one of that name
-- servers: 14..
-- $1 name text (for SQL)
-- $2 value text
-- returns: value
SELECT setval(to_regclass($1), $2::bigint) AS value
WHERE to_regclass($1) IS NOT NULL;
