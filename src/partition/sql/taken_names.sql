-- what: which of these names some relation of the schema has
-- servers: 14..
-- $1 schema text, $2 names text[]
-- returns: name
SELECT c.relname AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = $1 AND c.relname = ANY ($2::text[])
