-- what: milliseconds of the server's clock
-- servers: 14..
SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms
