-- what: the way back of an adoption, wherever it has come to
-- servers: 14..
-- variables: schema, table, lock_wait
DO $pgdeck$ BEGIN
    IF to_regprocedure('pgdeck.unadopt(name, name, integer)') IS NOT NULL THEN
        CALL pgdeck.unadopt(:'schema', :'table', :lock_wait);
    END IF;
END $pgdeck$;
