-- what: a parameter of the whole server, in effect after a reload or a restart
-- servers: 14..
-- variables: name, values (literals)
ALTER SYSTEM SET :name = :values;
