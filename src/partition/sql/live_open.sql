-- what: the conversion of a table that was begun and not taken back
-- servers: 14..
-- $1 schema text, $2 table text
-- returns: id, step, key_index, copied, held_ms; no row: none
SELECT id, step, key_index, copied, held_ms, high IS NULL AS is_empty, retired_name, keep
  FROM pgdeck.conversion
 WHERE schema_name = $1 AND table_name = $2 AND step NOT IN ('rolled back', 'removed')
