-- what: how many connections a role may have
-- servers: 14..
-- variables: role, limit
ALTER ROLE :"role" CONNECTION LIMIT :limit;
