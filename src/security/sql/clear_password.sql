-- what: takes a role's password away
-- servers: 14..
-- variables: role
ALTER ROLE :"role" PASSWORD NULL;
