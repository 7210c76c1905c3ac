-- what: who may read the table may read its rollup, and nobody else
-- servers: 14..
-- variables: name, changed, state, schema, table
DO $readers$
DECLARE
    tables text := format('rollups.%I, rollups.%I, rollups.%I', :'name', :'changed', :'state');
    reader record;
BEGIN
    FOR reader IN
        SELECT DISTINCT a.grantee
          FROM pg_class AS c
         CROSS JOIN aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a
         WHERE c.oid = format('rollups.%I', :'name')::regclass AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', tables,
                       CASE reader.grantee WHEN 0 THEN 'PUBLIC'
                            ELSE quote_ident(pg_get_userbyid(reader.grantee)) END);
    END LOOP;
    FOR reader IN
        SELECT DISTINCT a.grantee
          FROM pg_class AS c
         CROSS JOIN aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a
         WHERE c.oid = format('%I.%I', :'schema', :'table')::regclass
           AND a.privilege_type = 'SELECT'
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO %s', tables,
                       CASE reader.grantee WHEN 0 THEN 'PUBLIC'
                            ELSE quote_ident(pg_get_userbyid(reader.grantee)) END);
    END LOOP;
END $readers$
