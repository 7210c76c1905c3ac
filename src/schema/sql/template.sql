-- what: whether a copy of template1 is a database in UTF-8
-- servers: 14..
SELECT pg_encoding_to_char(encoding) = 'UTF8' AS is_utf8 FROM pg_database WHERE datname = 'template1'
