-- what: rights by which a tenant that logs in could change which tenant it is; those of services and
--       of everybody are in surplus_rights
-- servers: 14..
-- $1 deck json
-- returns: what, sql, undo, warning, obstacle (null: this role may do it)
WITH service AS (
    SELECT r.oid
      FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
     CROSS JOIN jsonb_array_elements(e -> 'services') AS s
     CROSS JOIN LATERAL (SELECT s ->> 'role' AS name UNION ALL
                         SELECT l #>> '{}' FROM jsonb_array_elements(s -> 'logins') AS l) AS names
      JOIN pg_roles AS r ON r.rolname = names.name
), login AS (
    SELECT oid, relowner, relacl FROM pg_class
     WHERE oid = to_regclass('tenants.login') AND $1::jsonb -> 'tenants' ->> 'setting' = ''
), tenant AS (
    SELECT r.oid FROM pg_roles AS r CROSS JOIN login AS l
     WHERE NOT r.rolsuper AND NOT pg_has_role(r.oid, l.relowner, 'USAGE')
       AND EXISTS (SELECT FROM service AS s WHERE pg_has_role(r.oid, s.oid, 'USAGE'))
), given AS (
    SELECT l.relowner AS owner, a.grantor, a.grantee, a.is_grantable, a.privilege_type AS kind,
           a.privilege_type AS words
      FROM login AS l CROSS JOIN aclexplode(l.relacl) AS a
     UNION ALL
    SELECT l.relowner, a.grantor, a.grantee, a.is_grantable, a.privilege_type,
           format('%s (%I)', a.privilege_type, c.attname)
      FROM login AS l JOIN pg_attribute AS c ON c.attrelid = l.oid
     CROSS JOIN aclexplode(c.attacl) AS a
), surplus AS (
    SELECT owner, grantor, is_grantable, format('%I', pg_get_userbyid(grantee)) AS role,
           string_agg(words, ', ' ORDER BY words) AS rights
      FROM given AS g
     WHERE kind <> 'SELECT' AND grantee <> 0 AND grantee <> owner
       AND grantee NOT IN (SELECT oid FROM service)
       AND EXISTS (SELECT FROM tenant AS t WHERE pg_has_role(t.oid, g.grantee, 'USAGE'))
     GROUP BY owner, grantor, is_grantable, grantee
)
SELECT format('take %s on table tenants.login from %s', rights, role) AS what,
       format('REVOKE %s ON TABLE tenants.login FROM %s;', rights, role) AS sql,
       format('GRANT %s ON TABLE tenants.login TO %s%s;', rights, role,
              CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END) AS undo,
       NULL AS warning,
       CASE WHEN grantor <> owner
            THEN format('%I gave it and has to take it back', pg_get_userbyid(grantor))
            WHEN NOT pg_has_role(owner, 'USAGE')
            THEN format('only %I may', pg_get_userbyid(owner)) END AS obstacle
  FROM surplus
 ORDER BY what
