-- what: whether a role may log in
-- servers: 14..
-- variables: role, word
ALTER ROLE :"role" :word;
