-- what: whether the server takes TLS at all
-- servers: 14..
-- returns: has_tls
SELECT current_setting('ssl')::bool AS has_tls
