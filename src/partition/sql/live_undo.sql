-- what: the way back of a conversion, wherever it has come to
-- servers: 14..
-- variables: schema, table, lock_wait, attempt
DO $pgdeck$ BEGIN
    IF to_regprocedure('pgdeck.unconvert(name, name, integer, integer)') IS NOT NULL THEN
        CALL pgdeck.unconvert(:'schema', :'table', :lock_wait, :attempt);
    END IF;
END $pgdeck$;
