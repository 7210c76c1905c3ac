-- what: the first and the last day of a column's values; whether infinity is among them
-- servers: 14..
-- variables: schema, table, column
SELECT CASE WHEN isfinite(first) THEN first - date '1970-01-01' END AS first,
       CASE WHEN isfinite(last) THEN last - date '1970-01-01' END AS last,
       coalesce(NOT isfinite(first) OR NOT isfinite(last), false) AS is_endless
  FROM (SELECT min(:"column")::date AS first, max(:"column")::date AS last
          FROM :"schema".:"table") AS extent
