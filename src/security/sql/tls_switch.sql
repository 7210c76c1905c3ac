-- what: makes the server take TLS from its next reload, or as without pgdeck
-- servers: 14..
-- variables: value (on, DEFAULT)
ALTER SYSTEM SET ssl = :value;
