-- what: what of the schema monitoring is there to be used: tables that this role may read, functions
--       that it may run and that belong to itself or to a superuser
-- servers: 14..
-- returns: name
SELECT c.relname::text AS name
  FROM pg_class AS c
 WHERE c.relnamespace = to_regnamespace('monitoring')
   AND c.relkind IN ('r', 'p')
   AND has_schema_privilege(c.relnamespace, 'USAGE')
   AND has_table_privilege(c.oid, 'SELECT')
 UNION ALL
SELECT p.proname::text
  FROM pg_proc AS p
  JOIN pg_roles AS r ON r.oid = p.proowner
 WHERE p.pronamespace = to_regnamespace('monitoring')
   AND has_schema_privilege(p.pronamespace, 'USAGE')
   AND has_function_privilege(p.oid, 'EXECUTE')
   AND (r.rolsuper OR r.rolname = current_user)
