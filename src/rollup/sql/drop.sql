-- what: removes a rollup and all that belongs to it
-- servers: 14..
-- variables: name, changed, state, refresh, mark, schema, table, insert_trigger, update_trigger,
--            delete_trigger, truncate_trigger
DROP FUNCTION IF EXISTS :"schema".:"name"(timestamptz, timestamptz);
DROP FUNCTION IF EXISTS rollups.:"refresh"();
DROP TRIGGER IF EXISTS :"insert_trigger" ON :"schema".:"table";
DROP TRIGGER IF EXISTS :"update_trigger" ON :"schema".:"table";
DROP TRIGGER IF EXISTS :"delete_trigger" ON :"schema".:"table";
DROP TRIGGER IF EXISTS :"truncate_trigger" ON :"schema".:"table";
DROP FUNCTION IF EXISTS rollups.:"mark"();
DROP TABLE IF EXISTS rollups.:"state", rollups.:"changed", rollups.:"name";

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace('rollups')) THEN
        DROP SCHEMA IF EXISTS rollups;
    END IF;
END $$;
