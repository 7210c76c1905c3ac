-- what: rights on the server's parameters that the deck does not give: to its roles, to everybody
-- servers: 15..
-- $1 deck json
-- returns: what, sql, undo, warning, obstacle (null: this role may do it)
WITH own AS (
    SELECT r.oid
      FROM (VALUES ('$.environments[*].owner'), ('$.environments[*].services[*].role'),
                   ('$.environments[*].services[*].logins[*]'), ('$.roles[*].name')) AS path (text)
     CROSS JOIN LATERAL jsonb_path_query($1::jsonb, path.text::jsonpath) AS name
      JOIN pg_roles AS r ON r.rolname = name #>> '{}'
     WHERE r.rolname <> current_user
), surplus AS (
    SELECT p.parname, a.is_grantable, a.grantee,
           CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE format('%I', pg_get_userbyid(a.grantee)) END
               AS role,
           string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) AS rights
      FROM pg_parameter_acl AS p CROSS JOIN aclexplode(p.paracl) AS a
     WHERE a.grantee = 0 OR a.grantee IN (SELECT oid FROM own)
     GROUP BY p.parname, a.is_grantable, a.grantee
)
SELECT format('take %s on parameter %s from %s', rights, parname, role) AS what,
       format('REVOKE %s ON PARAMETER %I FROM %s;', rights, parname, role) AS sql,
       format('GRANT %s ON PARAMETER %I TO %s%s;', rights, parname, role,
              CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END) AS undo,
       CASE grantee WHEN 0 THEN 'roles that the deck does not know may rely on it' END AS warning,
       CASE WHEN NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
            THEN 'a superuser has to' END AS obstacle
  FROM surplus
 ORDER BY what
