-- what: the server's certificate, if it has TLS; superusers only
-- servers: 14..
-- returns: one row, or none
SELECT current_setting('ssl_cert_file') AS path, pg_read_file(current_setting('ssl_cert_file')) AS text
 WHERE current_setting('ssl') = 'on'
