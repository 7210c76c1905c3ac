-- what: the first and the last of a column's ids
-- servers: 14..
-- variables: schema, table, column
SELECT min(:"column")::bigint AS first, max(:"column")::bigint AS last
  FROM :"schema".:"table"
