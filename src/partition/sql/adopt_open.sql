-- what: the adoption of a table that was begun and not taken back
-- servers: 14..
-- $1 schema text, $2 table text
-- returns: id, step, until, history_name, held_ms; no row: none
SELECT id, step, until, history_name, held_ms
  FROM pgdeck.adoption
 WHERE schema_name = $1 AND table_name = $2 AND step NOT IN ('rolled back', 'removed')
