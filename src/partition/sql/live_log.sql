-- what: starts the log: whoever wrote before has ended when the triggers are there
-- servers: 14..
-- variables: schema, table, function, id
SELECT pgdeck.conversion_hurry();
LOCK TABLE :"schema".:"table" IN SHARE ROW EXCLUSIVE MODE;
CREATE TRIGGER zz_pgdeck_log AFTER INSERT OR UPDATE OR DELETE ON :"schema".:"table"
    FOR EACH ROW EXECUTE FUNCTION pgdeck.:"function"();
ALTER TABLE :"schema".:"table" ENABLE ALWAYS TRIGGER zz_pgdeck_log;
CREATE TRIGGER zz_pgdeck_log_truncate BEFORE TRUNCATE ON :"schema".:"table"
    EXECUTE FUNCTION pgdeck.:"function"();
ALTER TABLE :"schema".:"table" ENABLE ALWAYS TRIGGER zz_pgdeck_log_truncate;
SELECT pgdeck.conversion_start(:id);
