-- what: the table that says which tenant a login is, and whether it shows each its own row only
-- servers: 14..
-- $1 owner text
-- $2 readers text[] (who looks up logins)
-- returns: no row: it is not there; else one, as of tenants_state
SELECT 'tenants' AS schema, 'login' AS name, 'tenants.login' AS label, 'pgdeck_own_login' AS policy,
       c.relrowsecurity AS is_on, c.relforcerowsecurity AS is_forced,
       c.relrowsecurity AND r.rolname = $1
       AND coalesce(p.polcmd = 'r' AND p.polpermissive AND p.polroles = '{0}'
                    AND pg_get_expr(p.polqual, p.polrelid) = '(role = CURRENT_USER)', false)
       AND NOT EXISTS (SELECT FROM unnest($2::text[]) AS reader (name)
                         LEFT JOIN pg_roles AS o ON o.rolname = reader.name
                        WHERE has_schema_privilege(o.oid, c.relnamespace, 'USAGE') IS NOT TRUE
                           OR has_table_privilege(o.oid, c.oid, 'SELECT') IS NOT TRUE) AS is_right,
       nullif(concat_ws(E';\n',
           CASE WHEN r.rolname <> $1 THEN format('ALTER TABLE tenants.login OWNER TO %I', r.rolname) END,
           CASE WHEN p.oid IS NOT NULL
                THEN format('CREATE POLICY pgdeck_own_login ON tenants.login AS %s FOR %s TO %s%s%s',
                            CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                            CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT'
                                          WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                            (SELECT string_agg(CASE u WHEN 0 THEN 'PUBLIC'
                                                      ELSE format('%I', pg_get_userbyid(u)) END, ', ')
                               FROM unnest(p.polroles) AS u),
                            format(' USING (%s)', nullif(pg_get_expr(p.polqual, p.polrelid), '')),
                            format(' WITH CHECK (%s)', nullif(pg_get_expr(p.polwithcheck, p.polrelid), '')))
           END), '') AS former,
       (SELECT string_agg(o.polname, ', ') FROM pg_policy AS o
         WHERE o.polrelid = c.oid AND o.polpermissive AND o.polname <> 'pgdeck_own_login') AS others
  FROM pg_class AS c
  JOIN pg_roles AS r ON r.oid = c.relowner
  LEFT JOIN pg_policy AS p ON p.polrelid = c.oid AND p.polname = 'pgdeck_own_login'
 WHERE c.oid = to_regclass('tenants.login')
