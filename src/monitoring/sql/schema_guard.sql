-- what: whether nothing is left in the schema monitoring
-- servers: 14..
-- returns: one boolean
SELECT NOT EXISTS (SELECT FROM pg_depend AS d JOIN pg_namespace AS n ON n.oid = d.refobjid
                    WHERE d.refclassid = 'pg_namespace'::regclass AND n.nspname = 'monitoring')
