-- what: an index on some rows of a table, copied; to be rolled back
-- servers: 14..
-- variables: schema table percent limit extension definition
BEGIN READ WRITE;
:extension;
CREATE TEMPORARY TABLE pgdeck_sample ON COMMIT DROP AS
    SELECT * FROM :"schema".:"table" TABLESAMPLE SYSTEM (:percent) LIMIT :limit;
CREATE INDEX pgdeck_sample_index ON pg_temp.pgdeck_sample :definition
