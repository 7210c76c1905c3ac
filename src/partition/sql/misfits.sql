-- what: values of a column that no part of a list has, and whether there are NULLs
-- servers: 14..
-- variables: schema, table, column, values
SELECT string_agg(quote_literal(v.value), ', ') AS misfits
  FROM (SELECT DISTINCT t.:"column"::text AS value FROM :"schema".:"table" t
         WHERE t.:"column" NOT IN (:values) LIMIT 5) AS v;
