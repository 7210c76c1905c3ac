-- what: an empty copy of a table's columns, to ask what an index on it would be made of
-- servers: 14..
-- variables: schema, table
CREATE TEMPORARY TABLE pg_temp.pgdeck_room (LIKE :"schema".:"table");
