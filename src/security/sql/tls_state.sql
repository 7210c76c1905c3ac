-- what: whether the server has TLS, and where its certificate is
-- servers: 14..
-- returns: one row
SELECT current_setting('ssl') = 'on' AS has_tls, current_setting('ssl_cert_file') AS certificate,
       current_setting('ssl_key_file') AS key
