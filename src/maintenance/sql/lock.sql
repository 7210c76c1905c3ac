-- what: takes the lock of this database's maintenance for this session, if it is free; the number is
--       "pgdecm" in ASCII
-- servers: 14..
SELECT pg_try_advisory_lock(x'7067646563'::bigint * 256 + 109) AS is_taken
