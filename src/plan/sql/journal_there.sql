-- what: whether the journal is here, and who else owns a part of it: its triggers and its scripts
--       run with the rights of who applies, so only they or a superuser may have made it
-- servers: 14..
-- returns: is_there boolean, stranger name or NULL
SELECT to_regclass('pgdeck.journal') IS NOT NULL AS is_there,
       (SELECT min(o.rolname::text)
          FROM (SELECT n.nspowner AS owner FROM pg_namespace n WHERE n.nspname = 'pgdeck'
                UNION
                SELECT c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = 'pgdeck') part
          JOIN pg_roles o ON o.oid = part.owner
         WHERE o.rolname <> current_user AND NOT o.rolsuper
           AND ((SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
                OR NOT pg_has_role(o.oid, 'MEMBER'))) AS stranger
