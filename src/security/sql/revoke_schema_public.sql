-- what: takes the right to create in a schema from everybody
-- servers: 14..
-- variables: schema
REVOKE CREATE ON SCHEMA :"schema" FROM PUBLIC;
