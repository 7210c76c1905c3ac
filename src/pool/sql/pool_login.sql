-- what: the function that tells a pool the verifier of a login, for auth_user; a superuser makes it
-- servers: 14..
-- superusers, roles that replicate, expired and disabled logins have none
CREATE SCHEMA IF NOT EXISTS pgdeck;
CREATE OR REPLACE FUNCTION pgdeck.pool_login(login text) RETURNS text
    LANGUAGE sql STABLE STRICT SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.rolpassword
      FROM pg_catalog.pg_authid AS a
     WHERE a.rolname OPERATOR(pg_catalog.=) login::pg_catalog.name
       AND a.rolcanlogin AND NOT a.rolsuper AND NOT a.rolreplication
       AND (a.rolvaliduntil IS NULL OR a.rolvaliduntil OPERATOR(pg_catalog.>) pg_catalog.now())
       AND a.rolpassword OPERATOR(pg_catalog.~~) 'SCRAM-SHA-256$%'
$$;
REVOKE ALL ON FUNCTION pgdeck.pool_login(text) FROM PUBLIC;
