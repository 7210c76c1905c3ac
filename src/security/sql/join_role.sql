-- what: makes one role a member of another
-- servers: 14..
-- variables: group, role
GRANT :"group" TO :"role";
