-- what: rights on the server's parameters that the deck does not give: to its roles, to everybody
-- servers: 15..
-- $1 deck json
-- returns: what, sql, undo, warning, obstacle (null: this role may do it)
WITH RECURSIVE own AS (
    SELECT r.oid
      FROM (VALUES ('$.environments[*].owner'), ('$.environments[*].services[*].role'),
                   ('$.environments[*].services[*].logins[*]'), ('$.roles[*].name')) AS path (text)
     CROSS JOIN LATERAL jsonb_path_query($1::jsonb, path.text::jsonpath) AS name
      JOIN pg_roles AS r ON r.rolname = name #>> '{}'
     WHERE r.rolname <> current_user
), given AS (
    SELECT p.parname, a.grantor, a.grantee, a.privilege_type, a.is_grantable,
           CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE format('%I', pg_get_userbyid(a.grantee)) END
               AS role,
           CASE WHEN a.grantor <> 10 THEN format('SET LOCAL ROLE %I; ', pg_get_userbyid(a.grantor)) END
               AS as_grantor -- 10: the owner of all parameters
      FROM pg_parameter_acl AS p CROSS JOIN aclexplode(p.paracl) AS a
), given_on (parname, privilege_type, root, level, role, grantee, is_grantable, as_grantor) AS (
    SELECT d.parname, d.privilege_type, g.grantee, 1, d.role, d.grantee, d.is_grantable, d.as_grantor
      FROM given AS g JOIN given AS d USING (parname, privilege_type)
     WHERE g.is_grantable AND g.grantee <> 10 AND d.grantor = g.grantee
     UNION
    SELECT d.parname, d.privilege_type, c.root, c.level + 1, d.role, d.grantee, d.is_grantable,
           d.as_grantor
      FROM given_on AS c JOIN given AS d USING (parname, privilege_type)
     WHERE c.is_grantable AND d.grantor = c.grantee
), surplus AS (
    SELECT g.parname, g.is_grantable, g.grantee, g.role, g.as_grantor,
           array_agg(g.privilege_type) AS right_list,
           string_agg(g.privilege_type, ', ' ORDER BY g.privilege_type) AS rights
      FROM given AS g
     WHERE (g.grantee = 0 OR g.grantee IN (SELECT oid FROM own))
       AND NOT EXISTS ( -- it goes with what it was given from
            SELECT FROM given_on AS c JOIN own ON own.oid = c.root
             WHERE c.parname = g.parname AND c.privilege_type = g.privilege_type
               AND c.grantee = g.grantee AND c.as_grantor = g.as_grantor)
     GROUP BY g.parname, g.is_grantable, g.grantee, g.role, g.as_grantor
)
SELECT format('take %s on parameter %s from %s', rights, parname, role) AS what,
       format('%sREVOKE %s ON PARAMETER %I FROM %s%s;%s', as_grantor, rights, parname, role,
              CASE WHEN d.names IS NOT NULL THEN ' CASCADE' END, reset) AS sql,
       format('%sGRANT %s ON PARAMETER %I TO %s%s;%s%s', as_grantor, rights, parname, role,
              CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END, reset, d.undo) AS undo,
       CASE WHEN grantee = 0 THEN 'roles that the deck does not know may rely on it'
            WHEN d.names IS NOT NULL THEN format('%s gave it to %s, who lose it, too', role, d.names)
            END AS warning,
       CASE WHEN NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
            THEN 'a superuser has to' END AS obstacle
  FROM surplus AS s
 CROSS JOIN LATERAL (SELECT CASE WHEN as_grantor IS NOT NULL THEN ' RESET ROLE;' END AS reset) AS r
 CROSS JOIN LATERAL (
    SELECT string_agg(DISTINCT c.role, ', ') AS names,
           string_agg(format(' %sGRANT %s ON PARAMETER %I TO %s%s; RESET ROLE;', c.as_grantor,
                             c.privilege_type, c.parname, c.role,
                             CASE WHEN c.is_grantable THEN ' WITH GRANT OPTION' END), ''
                      ORDER BY level, c.role) AS undo
      FROM given_on AS c
     WHERE c.parname = s.parname AND c.root = s.grantee
       AND c.privilege_type = ANY (s.right_list)) AS d
 ORDER BY what
