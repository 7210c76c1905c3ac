-- what: all steps of keeping a rollup up, in one transaction; nothing where there is no such rollup
-- servers: 14..
-- variables: refresh
DO $rollup$
BEGIN
    IF to_regprocedure(format('rollups.%I()', :'refresh')) IS NOT NULL THEN
        WHILE rollups.:"refresh"() LOOP
        END LOOP;
    END IF;
END $rollup$
