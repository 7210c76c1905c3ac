-- what: a role that holds rights; nobody logs in as it
-- servers: 14..
-- variables: role
CREATE ROLE :"role" NOLOGIN;
