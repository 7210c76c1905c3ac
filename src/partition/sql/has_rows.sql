-- what: whether a table has rows
-- servers: 14..
-- variables: schema, table
SELECT EXISTS (SELECT FROM :"schema".:"table") AS has_rows;
