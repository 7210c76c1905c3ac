-- what: the next statement towards the indexes of the keys; no row: all are there
-- servers: 14..
-- $1 id integer
-- returns: statement
SELECT CASE WHEN i.indexrelid IS NULL
            THEN format('CREATE UNIQUE INDEX CONCURRENTLY %I ON %s %s', w.name, v.source::regclass, w.columns)
            ELSE format('DROP INDEX CONCURRENTLY %s', i.indexrelid::regclass) END AS statement
  FROM pgdeck.adoption v
 CROSS JOIN LATERAL pgdeck.adoption_keys(v.source, v.column_name) AS k
 CROSS JOIN LATERAL (VALUES (k.wide, k.wide_columns), (k.back, k.back_columns)) AS w(name, columns)
  LEFT JOIN (SELECT j.indexrelid, j.indrelid, j.indisvalid, c.relname
               FROM pg_index j JOIN pg_class c ON c.oid = j.indexrelid) AS i
         ON i.indrelid = v.source AND i.relname = w.name
 WHERE v.id = $1::int AND i.indisvalid IS NOT TRUE
 ORDER BY w.name DESC
 LIMIT 1
