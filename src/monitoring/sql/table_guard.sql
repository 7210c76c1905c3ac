-- what: whether a table of history is empty
-- servers: 14..
-- variables: name
-- returns: one boolean
SELECT NOT EXISTS (SELECT FROM monitoring.:"name")
