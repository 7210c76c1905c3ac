-- what: where the sequences of a database are; unused ones are left out
-- servers: 14..
-- returns: name (for SQL), last_value
SELECT format('%I.%I', schemaname, sequencename) AS name, last_value
FROM pg_sequences
WHERE last_value IS NOT NULL
  AND schemaname NOT IN ('pgdeck', 'monitoring', 'rollups');
