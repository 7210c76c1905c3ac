-- what: a parameter for a role's sessions in one database
-- servers: 14..
-- variables: role, database, name, values (literals)
ALTER ROLE :"role" IN DATABASE :"database" SET :"name" = :values;
