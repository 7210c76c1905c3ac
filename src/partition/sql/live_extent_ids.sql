-- what: the first and the last of a column's ids, and the last that its type has
-- servers: 14..
-- variables: schema, table, column
SELECT min(:"column")::bigint AS first, max(:"column")::bigint AS last,
       CASE pg_typeof(min(:"column"))::text WHEN 'smallint' THEN 32767 WHEN 'integer' THEN 2147483647
            ELSE 9223372036854775807 END AS highest
  FROM :"schema".:"table"
