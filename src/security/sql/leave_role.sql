-- what: takes a membership back
-- servers: 14..
-- variables: group, role
REVOKE :"group" FROM :"role";
