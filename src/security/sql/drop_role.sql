-- what: takes a role back
-- servers: 14..
-- variables: role
DROP ROLE IF EXISTS :"role";
