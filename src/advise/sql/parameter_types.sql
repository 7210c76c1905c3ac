-- what: the types of a prepared statement's parameters
-- servers: 14..
-- $1 name text
SELECT parameter_types::text[] AS types FROM pg_prepared_statements WHERE name = $1
