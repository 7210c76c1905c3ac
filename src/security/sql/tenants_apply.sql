-- what: row-level security by tenant on every table that has the column, those of this apply too
-- servers: 14..
-- variables: owner, column, setting (of the session; empty: by login), readers (who looks up logins)
DO $tenants$
DECLARE
    wanted record;
    tenant_type text;
    reader text;
BEGIN
    -- without a length: a cast to char(1) would make one tenant of two
    SELECT CASE WHEN count(DISTINCT base) = 1 THEN min(format_type(base, -1))
                WHEN count(*) > 0 THEN 'text' END INTO tenant_type
      FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
     CROSS JOIN LATERAL (
        WITH RECURSIVE domain AS (
            SELECT t.oid, t.typbasetype
             UNION ALL
            SELECT b.oid, b.typbasetype
              FROM domain AS d JOIN pg_catalog.pg_type AS b ON b.oid = d.typbasetype)
        SELECT oid FROM domain WHERE typbasetype = 0) AS b (base) -- of domains over domains, too
     WHERE a.attname = :'column' AND a.attnum > 0 AND NOT a.attisdropped
       AND c.relkind IN ('r', 'p')
       AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgdeck')
       AND (n.nspname, c.relname) <> ('tenants', 'login');
    IF :'setting' = '' AND tenant_type IS NOT NULL THEN
        CREATE SCHEMA IF NOT EXISTS tenants AUTHORIZATION :"owner";
        EXECUTE format('CREATE TABLE IF NOT EXISTS tenants.login (role name PRIMARY KEY, tenant %s NOT NULL)',
                       tenant_type);
        ALTER TABLE tenants.login OWNER TO :"owner";
        ALTER TABLE tenants.login ENABLE ROW LEVEL SECURITY;
        DROP POLICY IF EXISTS pgdeck_own_login ON tenants.login;
        CREATE POLICY pgdeck_own_login ON tenants.login FOR SELECT USING (role = CURRENT_USER);
        FOREACH reader IN ARRAY :'readers'::text[] LOOP
            EXECUTE format('GRANT USAGE ON SCHEMA tenants TO %I', reader);
            EXECUTE format('GRANT SELECT ON tenants.login TO %I', reader);
        END LOOP;
    END IF;
    FOR wanted IN
        SELECT format('%I.%I', n.nspname, c.relname) AS name, format_type(base, -1) AS type,
               CASE WHEN base <> l.atttypid THEN format('::text::%s', format_type(base, -1)) END AS convert
          FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
          JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
         CROSS JOIN LATERAL (
            WITH RECURSIVE domain AS (
                SELECT t.oid, t.typbasetype
                 UNION ALL
                SELECT b.oid, b.typbasetype
                  FROM domain AS d JOIN pg_catalog.pg_type AS b ON b.oid = d.typbasetype)
            SELECT oid FROM domain WHERE typbasetype = 0) AS b (base)
          LEFT JOIN pg_catalog.pg_attribute AS l ON l.attrelid = to_regclass('tenants.login')
                                                AND l.attname = 'tenant'
         WHERE a.attname = :'column' AND a.attnum > 0 AND NOT a.attisdropped
           AND c.relkind IN ('r', 'p')
           AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgdeck')
           AND (n.nspname, c.relname) <> ('tenants', 'login')
    LOOP
        EXECUTE format('DROP POLICY IF EXISTS pgdeck_tenant ON %s', wanted.name);
        EXECUTE format(
            CASE WHEN :'setting' = ''
                 THEN 'CREATE POLICY pgdeck_tenant ON %1$s USING (%2$I = (SELECT l.tenant%5$s '
                      'FROM tenants.login AS l WHERE l.role = CURRENT_USER)) WITH CHECK (%2$I = '
                      '(SELECT l.tenant%5$s FROM tenants.login AS l WHERE l.role = CURRENT_USER))'
                 ELSE 'CREATE POLICY pgdeck_tenant ON %1$s USING (%2$I = '
                      'nullif(current_setting(%3$L, true), '''')::%4$s) WITH CHECK (%2$I = '
                      'nullif(current_setting(%3$L, true), '''')::%4$s)' END,
            wanted.name, :'column', :'setting', wanted.type, wanted.convert);
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
                       wanted.name);
    END LOOP;
END $tenants$
