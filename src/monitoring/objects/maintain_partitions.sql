-- what: makes the partitions that the deck wants ahead and drops those past their time
-- object: procedure monitoring.maintain_partitions(IN drop_old boolean)
-- servers: 14..18
-- after: monitoring.deck_values, monitoring.partition_tasks(parent oid, policy jsonb)
-- A transaction a partition, each with a short lock_timeout: what is not granted at once is left
-- for the next time and reported, so that nobody queues behind it. A procedure cannot detach
-- concurrently; `pgdeck partition maintain` does. Nothing is SET here, as that forbids COMMIT.
CREATE OR REPLACE PROCEDURE monitoring.maintain_partitions(drop_old boolean DEFAULT true)
LANGUAGE plpgsql
AS $procedure$
DECLARE
    policy jsonb;
    task record;
    table_oid oid;
    table_sql text;
    part_sql text;
    tasks jsonb;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    FOR policy IN SELECT CAST(v.value AS jsonb) FROM monitoring.deck_values AS v
                   WHERE v.kind = 'partition' ORDER BY v.name LOOP
        table_sql := pg_catalog.format('%I.%I', policy->>'schema', policy->>'table');
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        SELECT c.oid INTO table_oid
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = policy->>'schema' AND c.relname = policy->>'table'
           AND c.relkind = 'p';
        CONTINUE WHEN table_oid IS NULL;
        SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(p)) INTO tasks
          FROM monitoring.partition_tasks(table_oid, policy) AS p WHERE p.is_new OR drop_old;
        FOR task IN
            SELECT * FROM pg_catalog.jsonb_to_recordset(coalesce(tasks, '[]'))
                       AS t (is_new boolean, name text, bound text, options text, owner text)
        LOOP
            part_sql := pg_catalog.format('%I.%I', policy->>'schema', task.name);
            BEGIN
                PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
                        pg_catalog.set_config('lock_timeout', '50ms', true),
                        pg_catalog.set_config('timezone', 'UTC', true);
                IF task.is_new THEN
                    EXECUTE pg_catalog.format('CREATE TABLE %s (LIKE %s INCLUDING COMMENTS '
                        'INCLUDING COMPRESSION INCLUDING CONSTRAINTS INCLUDING DEFAULTS '
                        'INCLUDING GENERATED INCLUDING STORAGE)%s', part_sql, table_sql,
                        task.options);
                    EXECUTE pg_catalog.format('ALTER TABLE %s OWNER TO %I', part_sql, task.owner);
                    IF (SELECT c.relrowsecurity FROM pg_catalog.pg_class AS c
                         WHERE c.oid OPERATOR(pg_catalog.=) table_oid) THEN
                        -- no row of it is seen but through its table, until it has policies
                        EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, '
                                                  'FORCE ROW LEVEL SECURITY', part_sql);
                    END IF;
                    EXECUTE pg_catalog.format('ALTER TABLE %s ATTACH PARTITION %s %s', table_sql,
                                              part_sql, task.bound);
                    RAISE NOTICE 'made %', part_sql;
                ELSIF policy ? 'export' THEN
                    RAISE WARNING '% is past its time, but pgdeck writes it to a file first',
                                  part_sql;
                ELSE
                    EXECUTE pg_catalog.format('ALTER TABLE %s DETACH PARTITION %s', table_sql,
                                              part_sql);
                    EXECUTE pg_catalog.format('DROP TABLE %s', part_sql);
                    RAISE NOTICE 'dropped %', part_sql;
                END IF;
            EXCEPTION WHEN OTHERS THEN
                RAISE WARNING '% is left for the next time: %', part_sql, SQLERRM;
            END;
            COMMIT;
        END LOOP;
        BEGIN -- autovacuum leaves partitioned tables out
            PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
                    pg_catalog.set_config('lock_timeout', '50ms', true);
            IF EXISTS (SELECT FROM pg_catalog.pg_stat_all_tables AS s
                        WHERE s.relid = table_oid
                          AND coalesce(s.last_analyze, '-infinity') < now() - interval '1 day') THEN
                EXECUTE pg_catalog.format('ANALYZE %s', table_sql);
            END IF;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING '% is not analyzed: %', table_sql, SQLERRM;
        END;
        COMMIT;
    END LOOP;
END
$procedure$;

COMMENT ON PROCEDURE monitoring.maintain_partitions(IN drop_old boolean) IS
'CALL maintain_partitions() once a day makes the partitions that the deck wants ahead and drops
those past retain (false: makes only), as the owner of the tables, outside a transaction. What it
could not lock at once it names in a warning and does the next time. pgdeck partition maintain does
the same without a strong lock, and writes to files.';

GRANT EXECUTE ON PROCEDURE monitoring.maintain_partitions(IN drop_old boolean) TO pg_monitor;
