-- what: the first and the last day in a column's uuids of version 7 (there is no min of uuids before 18)
-- servers: 14..
-- variables: schema, table, column
SELECT ('x' || left(replace(f.id::text, '-', ''), 12))::bit(48)::bigint / 86400000 AS first,
       ('x' || left(replace(l.id::text, '-', ''), 12))::bit(48)::bigint / 86400000 AS last
  FROM (SELECT :"column" AS id FROM :"schema".:"table" ORDER BY 1 LIMIT 1) AS f
 CROSS JOIN (SELECT :"column" AS id FROM :"schema".:"table" ORDER BY 1 DESC LIMIT 1) AS l
 UNION ALL
SELECT NULL, NULL
 LIMIT 1
