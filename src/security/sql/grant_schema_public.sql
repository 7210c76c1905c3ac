-- what: gives it back
-- servers: 14..
-- variables: schema
GRANT CREATE ON SCHEMA :"schema" TO PUBLIC;
