-- what: attributes and memberships that the deck does not give its owners, services, logins and the
--       roles that it lists
-- servers: 14..
-- $1 deck json
-- returns: what, sql, undo, warning, obstacle (null: this role may do it)
WITH RECURSIVE own AS (
    SELECT e ->> 'owner' AS name, NULL AS service
      FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
     UNION
    SELECT n, s ->> 'role'
      FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
     CROSS JOIN jsonb_array_elements(e -> 'services') AS s
     CROSS JOIN LATERAL (SELECT s ->> 'role' AS n
                          UNION ALL
                         SELECT l #>> '{}' FROM jsonb_array_elements(s -> 'logins') AS l) AS names
     UNION
    SELECT s ->> 'role', g
      FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
     CROSS JOIN jsonb_array_elements(e -> 'services') AS s
     CROSS JOIN jsonb_array_elements_text(s -> 'groups') AS g
     UNION
    SELECT r ->> 'name', g
      FROM jsonb_array_elements($1::jsonb -> 'roles') AS r
      LEFT JOIN LATERAL jsonb_array_elements_text(r -> 'groups') AS g ON true
     WHERE r ->> 'name' <> current_user -- pgdeck does not take its own rights away
), attribute AS (
    SELECT r.rolname, string_agg(a.word, ' ' ORDER BY a.word) AS words,
           string_agg('NO' || a.word, ' ' ORDER BY a.word) AS against
      FROM pg_roles AS r
     CROSS JOIN LATERAL (VALUES ('SUPERUSER', rolsuper), ('BYPASSRLS', rolbypassrls),
                                ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb),
                                ('REPLICATION', rolreplication)) AS a (word, is_on)
     WHERE a.is_on AND r.rolname IN (SELECT name FROM own)
       AND r.oid <> 10 -- the first superuser has to stay one
     GROUP BY r.rolname
), deck_role AS (
    SELECT name #>> '{}' AS name
      FROM (VALUES ('$.environments[*].owner'), ('$.environments[*].services[*].role'),
                   ('$.environments[*].services[*].logins[*]')) AS path (text)
     CROSS JOIN LATERAL jsonb_path_query($1::jsonb, path.text::jsonpath) AS name
), stranger AS (
    SELECT oid, rolcanlogin FROM pg_roles
     WHERE NOT rolsuper AND NOT rolcreaterole AND rolname <> current_user
       AND rolname NOT IN (SELECT name FROM own)
), behind (root, member) AS ( -- who is in a stranger's group, and in groups of that
    SELECT s.oid, a.member FROM stranger AS s JOIN pg_auth_members AS a ON a.roleid = s.oid
     UNION
    SELECT b.root, a.member FROM behind AS b JOIN pg_auth_members AS a ON a.roleid = b.member
), coming_in AS ( -- logins that the deck does not know, and groups of theirs
    SELECT oid FROM stranger WHERE rolcanlogin
     UNION
    SELECT b.root FROM behind AS b JOIN stranger AS s ON s.oid = b.member WHERE s.rolcanlogin
), has_grantors AS (
    SELECT current_setting('server_version_num')::int >= 160000 AS has_grantors
), kept AS ( -- groups that pgdeck itself, or who administers roles, comes in by, too
    SELECT c.oid, string_agg(format('%I', r.rolname), ', ' ORDER BY r.rolname) AS names
      FROM coming_in AS c CROSS JOIN has_grantors AS h
      JOIN pg_roles AS r ON NOT r.rolsuper AND (r.rolcreaterole OR r.rolname = current_user)
       AND pg_has_role(r.oid, c.oid, CASE WHEN h.has_grantors THEN 'USAGE, SET' ELSE 'MEMBER' END)
     GROUP BY c.oid
), given_on (roleid, root, level, grantor, member, statement) AS (
    SELECT a.roleid, g.member, 1, a.grantor, a.member, to_jsonb(a)
      FROM pg_auth_members AS g
      JOIN pg_auth_members AS a ON a.roleid = g.roleid AND a.grantor = g.member
     CROSS JOIN has_grantors AS h
     WHERE g.admin_option AND h.has_grantors
     UNION
    SELECT a.roleid, c.root, c.level + 1, a.grantor, a.member, to_jsonb(a)
      FROM given_on AS c JOIN pg_auth_members AS a ON a.roleid = c.roleid AND a.grantor = c.member
), membership AS (
    SELECT w.is_wanted, m.rolname AS member, g.rolname AS role, o.rolname AS grantor, a.admin_option,
           to_jsonb(a) ->> 'inherit_option' AS inherits, to_jsonb(a) ->> 'set_option' AS sets,
           h.has_grantors, a.roleid, a.member AS member_oid
      FROM pg_auth_members AS a
      JOIN pg_roles AS m ON m.oid = a.member
      JOIN pg_roles AS g ON g.oid = a.roleid
      LEFT JOIN pg_roles AS o ON o.oid = a.grantor
     CROSS JOIN has_grantors AS h
     CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM own WHERE own.name = m.rolname
                                           AND own.service = g.rolname)) AS w (is_wanted)
     WHERE (m.rolname IN (SELECT name FROM own) AND (a.admin_option OR NOT w.is_wanted)
            AND NOT EXISTS ( -- it goes with the one that let it in
                SELECT FROM given_on AS c JOIN pg_roles AS root ON root.oid = c.root
                 WHERE c.roleid = a.roleid AND c.grantor = a.grantor AND c.member = a.member
                   AND root.rolname IN (SELECT name FROM own)))
        OR (g.rolname IN (SELECT name FROM deck_role) AND m.oid IN (SELECT oid FROM coming_in))
), me AS (
    SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user
)
SELECT format('take %s from role %I', words, rolname) AS what,
       format('ALTER ROLE %I %s;', rolname, against) AS sql,
       format('ALTER ROLE %I %s;', rolname, words) AS undo, NULL AS warning,
       CASE WHEN NOT me.rolsuper THEN 'a superuser has to' END AS obstacle
  FROM attribute CROSS JOIN me
 UNION ALL
SELECT CASE WHEN is_wanted THEN format('take the admin option of role %I from %I', role, member)
            ELSE format('take %I out of role %I', member, role) END,
       format('REVOKE %s%I FROM %I%s%s;', CASE WHEN is_wanted THEN 'ADMIN OPTION FOR ' END, role, member,
              CASE WHEN has_grantors THEN format(' GRANTED BY %I', grantor) END,
              CASE WHEN d.names IS NOT NULL THEN ' CASCADE' END),
       format('GRANT %I TO %I%s%s;', role, member,
              CASE WHEN has_grantors THEN format(' WITH ADMIN %s, INHERIT %s, SET %s',
                                                 admin_option::text, inherits, sets)
                   WHEN admin_option THEN ' WITH ADMIN OPTION' END,
              CASE WHEN has_grantors THEN format(' GRANTED BY %I', grantor) END) || coalesce(d.undo, ''),
       CASE WHEN d.names IS NOT NULL THEN format('%I let in %s, who go, too', member, d.names) END,
       CASE WHEN k.names IS NOT NULL THEN format('it would shut out %s, too', k.names)
            WHEN NOT me.rolsuper AND NOT pg_has_role(roleid, 'USAGE WITH ADMIN OPTION')
                 AND (has_grantors OR NOT me.rolcreaterole)
            THEN format('only who administers %I may', role) END
  FROM membership AS m CROSS JOIN me
  LEFT JOIN kept AS k ON k.oid = m.member_oid
 CROSS JOIN LATERAL (
    SELECT string_agg(DISTINCT format('%I', pg_get_userbyid(c.member)), ', ') AS names,
           string_agg(format(' GRANT %I TO %I WITH ADMIN %s, INHERIT %s, SET %s GRANTED BY %I;',
                             pg_get_userbyid(c.roleid), pg_get_userbyid(c.member),
                             statement ->> 'admin_option', statement ->> 'inherit_option',
                             statement ->> 'set_option', pg_get_userbyid(c.grantor)), ''
                      ORDER BY level, c.member) AS undo
      FROM given_on AS c WHERE c.roleid = m.roleid AND c.root = m.member_oid) AS d
 ORDER BY what
