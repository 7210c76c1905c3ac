-- what: the first and the last day of a column's values
-- servers: 14..
-- variables: schema, table, column
SELECT min(:"column")::date - date '1970-01-01' AS first,
       max(:"column")::date - date '1970-01-01' AS last
  FROM :"schema".:"table"
