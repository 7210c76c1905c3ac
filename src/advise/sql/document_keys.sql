-- what: keys of a json or jsonb column's documents, in a sample of its rows, whose values can be
--       compared: the most frequent first, without those of less than one document in a hundred
-- servers: 14..
-- variables: schema table column percent
WITH documents AS (
    SELECT s.:"column"::jsonb AS document
      FROM :"schema".:"table" AS s TABLESAMPLE SYSTEM (:percent)
     LIMIT 1000
)
SELECT k.key, count(*) AS documents
  FROM documents d
 CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(d.document) WHEN 'object' THEN d.document END)
       AS k(key, value)
 WHERE jsonb_typeof(k.value) IN ('string', 'number', 'boolean')
 GROUP BY k.key
HAVING count(*) >= 0.01 * (SELECT count(*) FROM documents)
 ORDER BY count(*) DESC, k.key
