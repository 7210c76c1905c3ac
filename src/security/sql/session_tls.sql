-- what: how this session came in: as whom, and over which TLS
-- servers: 14..
-- returns: one row; version null without TLS
SELECT CURRENT_USER AS role, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()
