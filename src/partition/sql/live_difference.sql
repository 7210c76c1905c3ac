-- what: what hangs on a table and not on its shadow, or the other way, but for what the swap moves
-- servers: 14..
-- $1 id integer
-- returns: difference, null: none
WITH c AS (SELECT * FROM pgdeck.conversion WHERE id = $1::int),
here AS (SELECT d.line FROM c CROSS JOIN pgdeck.conversion_describe(c.source, c.partition_names) d
          WHERE d.stage = 'shadow'),
there AS (SELECT d.line FROM c CROSS JOIN pgdeck.conversion_describe(c.shadow, c.partition_names) d
           WHERE d.stage = 'shadow')
SELECT string_agg(text, '; ') AS difference
  FROM (SELECT 'missing: ' || line FROM (TABLE here EXCEPT ALL TABLE there) AS only_here
         UNION ALL
        SELECT 'added: ' || line FROM (TABLE there EXCEPT ALL TABLE here) AS only_there) AS lines(text)
