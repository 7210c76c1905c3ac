-- what: a role to log in with; its password is set apart
-- servers: 14..
-- variables: role, limit
CREATE ROLE :"role" LOGIN CONNECTION LIMIT :limit;
