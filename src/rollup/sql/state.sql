-- what: the table of a rollup, and whether who reads the one reads the other
-- servers: 14..
-- $1 name text
-- $2 schema text
-- $3 table text
-- $4 time text (column)
-- returns: one row when the table is there
WITH source AS (
    SELECT c.oid, c.relrowsecurity, c.relacl, c.relowner
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = $2 AND c.relname = $3 AND c.relkind IN ('r', 'p')
), reader AS (
    SELECT array_agg(DISTINCT a.grantee ORDER BY a.grantee) AS list
      FROM source AS s CROSS JOIN aclexplode(coalesce(s.relacl, acldefault('r', s.relowner))) AS a
     WHERE a.privilege_type = 'SELECT'
), own AS (
    SELECT array_agg(DISTINCT a.grantee ORDER BY a.grantee) AS list
      FROM pg_class AS c CROSS JOIN aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a
     WHERE c.oid = to_regclass('rollups.' || quote_ident($1)) AND a.privilege_type = 'SELECT'
       AND a.grantee <> c.relowner
)
SELECT s.relrowsecurity AS is_secured,
       (SELECT format_type(atttypid, NULL) FROM pg_attribute
         WHERE attrelid = s.oid AND attname = $4 AND attnum > 0 AND NOT attisdropped) AS time_type,
       array_remove(coalesce(r.list, '{}'),
                    (SELECT relowner FROM pg_class
                      WHERE oid = to_regclass('rollups.' || quote_ident($1))))
         IS DISTINCT FROM coalesce(o.list, '{}') AS has_other_readers
  FROM source AS s CROSS JOIN reader AS r CROSS JOIN own AS o
