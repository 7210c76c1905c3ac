-- what: begins the adoption of a table in use
-- servers: 14..
-- $1 schema text, $2 table text, $3 name of the new table meanwhile text, $4 name of the old one as a
-- partition text, $5 column text, $6 upper bound of its rows text, $7 how long the way back is kept interval
-- returns: id
INSERT INTO pgdeck.adoption (schema_name, table_name, shadow_name, history_name, source, column_name, until,
                             step, description, keep)
SELECT $1::text, $2::text, $3::text, $4::text, c.oid, $5::text, $6::text, 'preparing',
       ARRAY(SELECT d.stage || ' ' || d.line
               FROM pgdeck.conversion_describe(c.oid, ARRAY[$5::name]) d ORDER BY 1), $7::interval
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = $1::text AND c.relname = $2::text AND c.relkind = 'r'
RETURNING id
