-- what: the rollups that are there
-- servers: 14..
-- returns: name, and the table and schema that it is of
SELECT c.relname AS name, n.nspname AS schema, s.relname AS table
  FROM pg_class AS c
  JOIN pg_proc AS p ON p.pronamespace = c.relnamespace AND p.proname = c.relname || '_mark'
  JOIN pg_trigger AS g ON g.tgfoid = p.oid AND g.tgparentid = 0
  JOIN pg_class AS s ON s.oid = g.tgrelid
  JOIN pg_namespace AS n ON n.oid = s.relnamespace
 WHERE c.relnamespace = to_regnamespace('rollups')
 GROUP BY 1, 2, 3
 ORDER BY 1
