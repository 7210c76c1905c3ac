-- what: takes the table of logins away again, as long as nobody has filled it and no policy reads it
-- servers: 14..
DO $undo$
BEGIN
    IF to_regclass('tenants.login') IS NULL OR EXISTS (
        SELECT FROM pg_depend AS d JOIN pg_policy AS p ON p.oid = d.objid
         WHERE d.classid = 'pg_policy'::regclass AND d.refclassid = 'pg_class'::regclass
           AND d.refobjid = to_regclass('tenants.login') AND p.polrelid <> d.refobjid)
    THEN
        RETURN;
    END IF;
    SET LOCAL row_security = off;
    IF NOT EXISTS (SELECT FROM tenants.login) THEN
        DROP TABLE tenants.login;
        IF NOT EXISTS (SELECT FROM pg_depend AS d
                        WHERE d.refclassid = 'pg_namespace'::regclass
                          AND d.refobjid = to_regnamespace('tenants')) THEN
            DROP SCHEMA tenants;
        END IF;
    END IF;
END $undo$
