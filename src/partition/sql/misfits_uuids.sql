-- what: an id of a column that is no uuid of version 7
-- servers: 14..
-- variables: schema, table, column
SELECT t.:"column"::text AS id FROM :"schema".:"table" t
 WHERE substring(t.:"column"::text FROM 15 FOR 1) <> '7'
 LIMIT 1
