-- what: of which system this server is, and whether as a standby
-- servers: 14..
SELECT system_identifier AS system, pg_is_in_recovery() AS is_in_recovery FROM pg_control_system()
