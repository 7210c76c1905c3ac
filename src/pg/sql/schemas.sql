-- what: schemas but PostgreSQL's own, and whether pgdeck's journal can be read here
-- servers: 14..
SELECT n.nspname AS name, pg_get_userbyid(n.nspowner) AS owner, coalesce(n.nspacl::text, '') AS acl,
       n.nspname = 'pgdeck' AND has_schema_privilege(n.oid, 'USAGE')
         AND coalesce((SELECT has_table_privilege(c.oid, 'SELECT')
                         FROM pg_class c
                         JOIN pg_roles o ON o.oid = c.relowner
                         JOIN pg_roles r ON r.rolname = current_user
                        WHERE c.relnamespace = n.oid AND c.relname = 'journal'
                          /* another's view could run anything with these rights */
                          AND c.relkind = 'r'
                          AND (o.oid = r.oid OR o.rolsuper
                               OR NOT r.rolsuper AND pg_has_role(o.oid, 'MEMBER'))), false) AS has_journal
  FROM pg_namespace n
 WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
 ORDER BY n.nspname
