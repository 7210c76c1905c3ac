-- what: which of these sessions are still there
-- servers: 14..
-- $1 processes integer[]
-- returns: sessions
SELECT count(*) AS sessions
FROM pg_stat_activity
WHERE pid = ANY ($1::integer[]);
