-- what: whether conversions of tables in use were ever made here
-- servers: 14..
-- returns: is_there
SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'pgdeck' AND c.relname = 'conversion'
                  AND pg_has_role(c.relowner, 'USAGE')) AS is_there
