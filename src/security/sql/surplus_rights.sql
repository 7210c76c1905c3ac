-- what: rights in this database that the deck does not give: to its roles, to everybody; and to
--       tenants that log in, those by which they could change which tenant they are
-- servers: 14..
-- $1 deck json
-- $2 roles text[] (of the deck, for this database)
-- returns: what, sql, undo, warning, obstacle (null: this role may do it)
WITH RECURSIVE own AS (
    SELECT r.oid, bool_or(n.is_here) AS is_here, min(n.rights) AS rights,
           bool_or(n.is_service) AS is_service
      FROM (SELECT names.name, s ->> 'role' = ANY ($2::text[]) AS is_here, s ->> 'rights' AS rights,
                   true AS is_service
              FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
             CROSS JOIN jsonb_array_elements(e -> 'services') AS s
             CROSS JOIN LATERAL (SELECT s ->> 'role' AS name UNION ALL
                                 SELECT l #>> '{}' FROM jsonb_array_elements(s -> 'logins') AS l)
                   AS names
             UNION ALL
            SELECT e ->> 'owner', false, NULL, false FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
             WHERE NOT e -> 'databases' ? current_database()) AS n
      JOIN pg_roles AS r ON r.rolname = n.name
     GROUP BY r.oid
), allowed (level, kind, rights) AS (
    VALUES ('write', 'TABLE', '{SELECT,INSERT,UPDATE,DELETE}'::text[]),
           ('write', 'SEQUENCE', '{USAGE,SELECT}'), ('write', 'SCHEMA', '{USAGE}'),
           ('write', 'DATABASE', '{CONNECT}'),
           ('write', 'ROUTINE', '{EXECUTE}'), ('read', 'ROUTINE', '{EXECUTE}'),
           ('connect', 'ROUTINE', '{}'),
           ('write', 'TYPE', '{USAGE}'), ('read', 'TYPE', '{USAGE}'), ('connect', 'TYPE', '{}'),
           ('read', 'TABLE', '{SELECT}'), ('read', 'SEQUENCE', '{SELECT}'),
           ('read', 'SCHEMA', '{USAGE}'), ('read', 'DATABASE', '{CONNECT}'),
           ('connect', 'TABLE', '{}'), ('connect', 'SEQUENCE', '{}'), ('connect', 'SCHEMA', '{}'),
           ('connect', 'DATABASE', '{CONNECT}'),
           ('ask', 'TABLE', '{}'), ('ask', 'SEQUENCE', '{}'), ('ask', 'TYPE', '{}'),
           ('ask', 'SCHEMA', '{USAGE}'), ('ask', 'ROUTINE', '{EXECUTE}'),
           ('ask', 'DATABASE', '{CONNECT}')
), me AS ( -- how one has to be in a role to act as it
    SELECT CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET'
                ELSE 'MEMBER' END AS act
), own_schema AS (
    SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
     WHERE nspname NOT IN ('pg_catalog', 'information_schema')
       AND nspname !~ '^pg_(toast|temp)'
), given AS (
    SELECT 'DATABASE' AS kind, format('%I', datname) AS object, datdba AS owner, a.*
      FROM pg_database CROSS JOIN aclexplode(datacl) AS a WHERE datname = current_database()
     UNION ALL
    SELECT 'SCHEMA', format('%I', nspname), nspowner, a.*
      FROM own_schema CROSS JOIN aclexplode(nspacl) AS a
     UNION ALL
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
           format('%I.%I', n.nspname, c.relname), c.relowner, a.*
      FROM pg_class AS c
      JOIN own_schema AS n ON n.oid = c.relnamespace
     CROSS JOIN aclexplode(c.relacl) AS a
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
       AND NOT EXISTS (SELECT FROM pg_depend AS d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND d.deptype = 'e')
     UNION ALL
    SELECT 'TABLE', format('%I.%I', n.nspname, c.relname), c.relowner, g.grantor, g.grantee,
           format('%s (%I)', g.privilege_type, a.attname), g.is_grantable
      FROM pg_attribute AS a
      JOIN pg_class AS c ON c.oid = a.attrelid
      JOIN own_schema AS n ON n.oid = c.relnamespace
     CROSS JOIN aclexplode(a.attacl) AS g
     WHERE a.attnum > 0 AND NOT a.attisdropped
       AND NOT EXISTS (SELECT FROM pg_depend AS d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND d.deptype = 'e')
     UNION ALL
    SELECT 'ROUTINE',
           format('%I.%I(%s)', n.nspname, p.proname,
                  (SELECT string_agg(format_type(t.type, NULL), ', ' ORDER BY t.number)
                     FROM unnest(p.proargtypes) WITH ORDINALITY AS t (type, number))),
           p.proowner, a.*
      FROM pg_proc AS p
      JOIN own_schema AS n ON n.oid = p.pronamespace
     CROSS JOIN aclexplode(p.proacl) AS a
     WHERE a.grantee <> 0
       AND NOT EXISTS (SELECT FROM pg_depend AS d
                        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                          AND d.deptype = 'e')
), given_on (kind, object, privilege_type, root, level, grantor, grantee, is_grantable) AS (
    SELECT g.kind, g.object, g.privilege_type, g.grantee, 1, d.grantor, d.grantee, d.is_grantable
      FROM given AS g JOIN given AS d USING (kind, object, privilege_type)
     WHERE g.is_grantable AND g.grantee <> g.owner AND d.grantor = g.grantee
     UNION
    SELECT c.kind, c.object, c.privilege_type, c.root, c.level + 1, d.grantor, d.grantee,
           d.is_grantable
      FROM given_on AS c JOIN given AS d USING (kind, object, privilege_type)
     WHERE c.is_grantable AND d.grantor = c.grantee
), tenant AS ( -- who logs in as one
    SELECT r.oid FROM pg_roles AS r JOIN pg_class AS l ON l.oid = to_regclass('tenants.login')
     WHERE $1::jsonb -> 'tenants' ->> 'setting' = '' AND NOT r.rolsuper
       AND NOT pg_has_role(r.oid, l.relowner, 'USAGE')
       AND EXISTS (SELECT FROM own AS s WHERE s.is_service AND pg_has_role(r.oid, s.oid, 'USAGE'))
), switching AS ( -- rights by which a tenant could change which one it is
    SELECT kind, object, privilege_type, grantee
      FROM given AS g
     WHERE kind = 'TABLE' AND object = 'tenants.login' AND grantee <> 0 AND grantee <> owner
       AND split_part(privilege_type, ' ', 1) <> 'SELECT'
       AND EXISTS (SELECT FROM tenant AS t WHERE pg_has_role(t.oid, g.grantee, 'USAGE'))
), surplus AS (
    SELECT g.kind, g.object, g.owner, g.grantor, g.is_grantable, g.grantee, w.is_wanted,
           array_agg(g.privilege_type) AS right_list,
           CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE format('%I', pg_get_userbyid(g.grantee)) END
               AS role,
           string_agg(g.privilege_type, ', ' ORDER BY g.privilege_type) AS rights
      FROM given AS g LEFT JOIN own AS o ON o.oid = g.grantee
      LEFT JOIN allowed ON allowed.kind = g.kind
                       AND allowed.level = coalesce(o.rights, 'write')
     CROSS JOIN LATERAL (SELECT coalesce(o.is_here AND split_part(g.privilege_type, ' ', 1)
                                                       = ANY (allowed.rights), false)) AS w (is_wanted)
     WHERE (g.grantee = 0 AND g.kind IN ('TABLE', 'SEQUENCE'))
        OR ((o.oid IS NOT NULL AND o.oid <> g.owner
             AND NOT (o.is_here AND g.object IN ('tenants', 'tenants.login') -- pgdeck's own
                      AND g.privilege_type IN ('USAGE', 'SELECT'))
             AND (g.is_grantable OR NOT w.is_wanted)
             OR (g.kind, g.object, g.privilege_type, g.grantee) IN (TABLE switching))
            AND NOT EXISTS ( -- it goes with what it was given from
                SELECT FROM given_on AS c
                 WHERE c.kind = g.kind AND c.object = g.object AND c.grantor = g.grantor
                   AND c.grantee = g.grantee AND c.privilege_type = g.privilege_type
                   AND (c.root IN (SELECT oid FROM own)
                        OR (c.kind, c.object, c.privilege_type, c.root) IN (TABLE switching))))
     GROUP BY g.kind, g.object, g.owner, g.grantor, g.is_grantable, g.grantee, w.is_wanted
), coming_kind (letter, kind, words) AS (
    VALUES ('r'::"char", 'TABLE', 'TABLES'), ('S', 'SEQUENCE', 'SEQUENCES'),
           ('f', 'ROUTINE', 'FUNCTIONS'), ('T', 'TYPE', 'TYPES'), ('n', 'new schemas', 'SCHEMAS'),
           ('L', 'large objects', 'LARGE OBJECTS') -- of the last two the deck gives nobody any
), coming AS (
    SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s', pg_get_userbyid(d.defaclrole),
                  CASE WHEN n.oid IS NOT NULL THEN format(' IN SCHEMA %I', n.nspname) END) AS head,
           k.words AS kind,
           d.defaclrole AS owner, a.grantee, a.is_grantable,
           CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE format('%I', pg_get_userbyid(a.grantee)) END
               AS role,
           string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) AS rights
      FROM pg_default_acl AS d
      JOIN coming_kind AS k ON k.letter = d.defaclobjtype
     CROSS JOIN aclexplode(d.defaclacl) AS a
      LEFT JOIN pg_namespace AS n ON n.oid = d.defaclnamespace
      LEFT JOIN own AS o ON o.oid = a.grantee
      LEFT JOIN allowed ON allowed.level = coalesce(o.rights, 'write')
                       AND allowed.kind = k.kind
     WHERE ((a.grantee = 0 AND k.kind NOT IN ('ROUTINE', 'TYPE')) -- whose default it is
            OR (o.oid IS NOT NULL AND o.oid <> d.defaclrole
                AND NOT (o.is_here
                         AND a.privilege_type = ANY (coalesce(allowed.rights, '{}')))))
     GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT format('take %s%s on %s %s from %s', CASE WHEN is_wanted THEN 'the grant option of ' END,
              rights, lower(kind), object, role) AS what,
       format('%sREVOKE %s%s ON %s %s FROM %s%s;%s', as_grantor,
              CASE WHEN is_wanted THEN 'GRANT OPTION FOR ' END, rights, kind, object, role,
              CASE WHEN d.names IS NOT NULL THEN ' CASCADE' END, as_before) AS sql,
       format('%sGRANT %s ON %s %s TO %s%s;%s%s', as_grantor, rights, kind, object, role,
              CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END, as_before,
              CASE WHEN d.may_undo THEN ' ' || d.undo END) AS undo,
       CASE WHEN grantee = 0 THEN 'roles that the deck does not know may rely on it'
            WHEN d.names IS NOT NULL
            THEN format('%s gave it to %s, who lose it, too%s', role, d.names,
                        CASE WHEN NOT d.may_undo THEN ', and rollback does not give it back' END)
            END AS warning,
       CASE WHEN grantor <> owner AND as_grantor IS NULL
            THEN format('%I gave it and has to take it back', pg_get_userbyid(grantor))
            WHEN grantor = owner AND NOT pg_has_role(owner, 'USAGE')
            THEN format('only %I may', pg_get_userbyid(owner)) END AS obstacle
  FROM surplus AS s
 CROSS JOIN LATERAL (
    SELECT CASE WHEN grantor <> owner AND pg_has_role(grantor, me.act)
                THEN format('SET LOCAL ROLE %I; ', pg_get_userbyid(grantor)) END AS as_grantor,
           CASE WHEN grantor <> owner AND pg_has_role(grantor, me.act)
                THEN ' RESET ROLE;' END AS as_before
      FROM me) AS g
 CROSS JOIN LATERAL (
    SELECT string_agg(DISTINCT name, ', ') AS names, bool_and(pg_has_role(c.grantor, me.act)) AS may_undo,
           string_agg(format('SET LOCAL ROLE %I; GRANT %s ON %s %s TO %s%s;',
                             pg_get_userbyid(c.grantor), c.privilege_type, c.kind, c.object, name,
                             CASE WHEN c.is_grantable THEN ' WITH GRANT OPTION' END), ' '
                      ORDER BY level, c.privilege_type, name) || ' RESET ROLE;' AS undo
      FROM given_on AS c CROSS JOIN me
     CROSS JOIN LATERAL (SELECT CASE c.grantee WHEN 0 THEN 'PUBLIC'
                                     ELSE format('%I', pg_get_userbyid(c.grantee)) END) AS n (name)
     WHERE c.kind = s.kind AND c.object = s.object AND c.root = s.grantee
       AND c.privilege_type = ANY (s.right_list)) AS d
 UNION ALL
SELECT format('give %s no %s on new %s of %I', role, rights, lower(kind), pg_get_userbyid(owner)),
       format('%s REVOKE %s ON %s FROM %s;', head, rights, kind, role),
       format('%s GRANT %s ON %s TO %s%s;', head, rights, kind, role,
              CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END),
       CASE grantee WHEN 0 THEN 'roles that the deck does not know may rely on it' END,
       CASE WHEN NOT pg_has_role(owner, 'USAGE')
            THEN format('only %I may', pg_get_userbyid(owner)) END
  FROM coming
 ORDER BY what
