-- what: drops what indexes a schema file has beside its keys
-- servers: 14..
-- returns: nothing
DO $$
DECLARE
    one regclass;
BEGIN
    FOR one IN
        SELECT i.indexrelid
        FROM pg_index AS i
        JOIN pg_class AS c ON c.oid = i.indexrelid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE NOT (i.indisunique OR i.indisexclusion OR i.indisreplident OR c.relispartition)
          AND n.nspname NOT IN ('pg_catalog', 'information_schema')
          AND n.nspname NOT LIKE 'pg\_%'
          AND NOT EXISTS (SELECT FROM pg_depend AS d
                          WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e'
                            AND d.objid IN (i.indexrelid, i.indrelid))
    LOOP
        EXECUTE format('DROP INDEX %s', one);
    END LOOP;
END
$$;
