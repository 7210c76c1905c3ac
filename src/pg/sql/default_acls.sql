-- what: default privileges as "role|schema|object type|acl"
-- servers: 14..
SELECT concat_ws('|', pg_get_userbyid(d.defaclrole), coalesce(n.nspname, ''), d.defaclobjtype,
                 d.defaclacl::text) AS entry
  FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
 ORDER BY 1
