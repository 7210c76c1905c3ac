-- what: whether the record is there
-- servers: 14..
SELECT to_regclass('pgdeck.maintenance_index') IS NOT NULL AS is_there
