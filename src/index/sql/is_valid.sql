-- what: whether an index can be used
-- servers: 14..
-- $1 schema text, $2 index text
SELECT i.indisvalid AND i.indisready AND i.indislive AS is_valid
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = $1 AND c.relname = $2
