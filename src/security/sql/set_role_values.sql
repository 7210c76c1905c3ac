-- what: a parameter for all sessions of a role
-- servers: 14..
-- variables: role, name, values (literals)
ALTER ROLE :"role" SET :"name" = :values;
