-- what: statements run by a role, whose unqualified names are those of one schema; within a
--       transaction
-- servers: 14..
-- variables: role, schema, body
SET LOCAL ROLE :"role";
SET LOCAL search_path = :"schema", pg_temp;
:body
