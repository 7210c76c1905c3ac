-- what: a parameter for all sessions of a role
-- servers: 14..
-- variables: role, name, value
ALTER ROLE :"role" SET :"name" = :'value';
