-- what: takes the lock of this server's applies for this session, if it is free; the number is
--       "pgdeck" in ASCII
-- servers: 14..
SELECT pg_try_advisory_lock(x'7067646563'::bigint * 256 + 107) AS is_taken
