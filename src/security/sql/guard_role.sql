-- what: whether nothing belongs to a role and no rights depend on it
-- servers: 14..
-- variables: role
SELECT NOT EXISTS (SELECT FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
                    WHERE d.refclassid = 'pg_authid'::regclass AND r.rolname = :'role') AS is_free;
