-- what: lets the applying role act as another
-- servers: 14..
-- variables: group
GRANT :"group" TO CURRENT_USER;
