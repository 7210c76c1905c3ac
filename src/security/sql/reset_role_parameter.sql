-- what: takes a role's parameter back
-- servers: 14..
-- variables: role, name
ALTER ROLE :"role" RESET :"name";
