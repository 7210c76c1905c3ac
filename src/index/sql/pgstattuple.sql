-- what: the schema of the extension pgstattuple, if this role may measure with it
-- servers: 14..
SELECT n.nspname AS schema
  FROM pg_extension e
  JOIN pg_namespace n ON n.oid = e.extnamespace
  JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
                  AND d.classid = 'pg_proc'::regclass
  JOIN pg_proc p ON p.oid = d.objid
 WHERE e.extname = 'pgstattuple' AND p.proname = 'pgstatindex'
   AND p.proargtypes[0] = 'regclass'::regtype AND has_function_privilege(p.oid, 'EXECUTE')
