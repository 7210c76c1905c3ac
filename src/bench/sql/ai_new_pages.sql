-- what: until the end of the transaction rows go to new pages: holes in old ones differ from server
-- to server, and each first touch of one after a checkpoint is a whole page of WAL
-- servers: 14..
-- needs: decks/saas-control-deck/schema.sql
-- note: changes what is ours to change, and what nobody's VACUUM keeps from us; else nothing
DO $$
DECLARE
    leaf regclass;
BEGIN
    SET LOCAL lock_timeout = '3s';
    FOR leaf IN
        SELECT coalesce(part.relid, root)
          FROM unnest(ARRAY[to_regclass('ai_tasks'), to_regclass('ai_results'),
                            to_regclass('system_logs')]) AS root
          LEFT JOIN pg_partition_tree(root) AS part ON true
          JOIN pg_class AS c ON c.oid = coalesce(part.relid, root)
         WHERE c.relkind = 'r' AND pg_has_role(c.relowner, 'USAGE')
    LOOP
        BEGIN
            EXECUTE format('ALTER TABLE %s SET (fillfactor = 80)', leaf);
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
    END LOOP;
END
$$;
