-- what: notes which table is the new one
-- servers: 14..
-- $1 id integer
UPDATE pgdeck.adoption v SET shadow = c.oid
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE v.id = $1::int AND n.nspname = v.schema_name AND c.relname = v.shadow_name
