-- what: begins the conversion of a table in use
-- servers: 14..
-- $1 schema text, $2 table text, $3 name of the shadow text, $4 name to keep the old one under text,
-- $5 its key: oid of an index, $6 partition columns name[], $7 how long to keep the old table interval
-- returns: id
INSERT INTO pgdeck.conversion (schema_name, table_name, shadow_name, retired_name, source, key_index,
                               key_names, key_types, partition_names, partition_types, step, keep)
SELECT $1::text, $2::text, $3::text, $4::text, c.oid, i.indexrelid, k.names, k.types, $6::name[], p.types, 'logging',
       $7::interval
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_index i ON i.indrelid = c.oid AND i.indexrelid = $5::oid
 CROSS JOIN LATERAL (
   SELECT array_agg(a.attname ORDER BY u.place) AS names,
          array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY u.place) AS types
     FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS u(attnum, place)
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attnum
    WHERE u.place <= i.indnkeyatts) AS k
 CROSS JOIN LATERAL (
   SELECT array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY u.place) AS types
     FROM unnest($6::name[]) WITH ORDINALITY AS u(name, place)
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = u.name) AS p
 WHERE n.nspname = $1::text AND c.relname = $2::text
RETURNING id
