-- what: pg_hba.conf as it is; superusers only
-- servers: 14..
-- returns: one row
SELECT pg_read_file(current_setting('hba_file')) AS text
