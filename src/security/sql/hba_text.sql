-- what: pg_hba.conf as it is, and where; superusers only
-- servers: 14..
-- returns: one row
SELECT current_setting('hba_file') AS file, pg_read_file(current_setting('hba_file')) AS text
