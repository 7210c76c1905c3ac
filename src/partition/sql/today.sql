-- what: the server's date in UTC, as days since 1970-01-01
-- servers: 14..
SELECT (now() AT TIME ZONE 'UTC')::date - date '1970-01-01' AS today
