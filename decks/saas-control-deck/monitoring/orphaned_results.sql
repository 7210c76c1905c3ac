-- what: AI results whose task is gone, from a bounded sample
-- object: function monitoring.orphaned_results()
-- servers: 14..18
-- needs: table ai_tasks(id)
-- needs: table ai_results(task_id)
-- after: monitoring.src_tables
-- grant: select (id) on ai_tasks
-- grant: select (task_id) on ai_results
-- ai_results.task_id can have no foreign key (the key of ai_tasks contains its status). Reads about
-- 2000 results from random pages and looks each task up by index; without such an index it does not
-- try.
CREATE OR REPLACE FUNCTION monitoring.orphaned_results()
RETURNS TABLE (severity text, finding text, evidence text, confidence text, fix_sql text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '50ms'
AS $function$
DECLARE
    pair record;
    total double precision;
    share double precision;
    looked_at bigint;
    orphans bigint;
BEGIN
    FOR pair IN
        SELECT t.sql_name AS tasks, r.sql_name AS results, r.relid AS results_oid,
               has_column_privilege(t.relid, 'id', 'SELECT')
                   AND has_column_privilege(r.relid, 'task_id', 'SELECT')
                   AND has_schema_privilege(t.schema_name, 'USAGE') AS readable,
               EXISTS (SELECT FROM pg_index AS i JOIN pg_attribute AS a
                           ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                        WHERE i.indrelid = t.relid AND i.indisvalid AND i.indpred IS NULL
                          AND a.attname = 'id') AS indexed
          FROM monitoring.src_tables AS t
          JOIN monitoring.src_tables AS r ON r.schema_name = t.schema_name
         WHERE t.table_name = 'ai_tasks' AND r.table_name = 'ai_results'
           AND t.relkind IN ('r', 'p') AND t.partition_of IS NULL
           AND r.relkind IN ('r', 'p') AND r.partition_of IS NULL
           AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = t.relid
                          AND a.attname = 'id' AND NOT a.attisdropped)
           AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = r.relid
                          AND a.attname = 'task_id' AND NOT a.attisdropped)
    LOOP
        severity := 'unknown';
        finding := format('results of %s without a task: not looked for', pair.results);
        evidence := NULL;
        confidence := 'not measured';
        fix_sql := NULL;
        IF NOT pair.readable THEN
            evidence := format('no SELECT on %s(id) and %s(task_id)', pair.tasks, pair.results);
            confidence := 'not measurable with this role';
            RETURN NEXT;
            CONTINUE;
        ELSIF NOT pair.indexed THEN
            evidence := format('%s has no index that begins with id: each look-up would read it '
                               'whole', pair.tasks);
            RETURN NEXT;
            CONTINUE;
        END IF;
        SELECT sum(greatest(l.analyzed_rows, s.n_live_tup)) INTO total
          FROM monitoring.src_tables AS l LEFT JOIN pg_stat_all_tables AS s ON s.relid = l.relid
         WHERE l.root_relid = pair.results_oid AND l.relkind = 'r';
        share := least(100, 200000 / greatest(total, 1));
        EXECUTE format(
            'SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (
                        SELECT FROM %1$s AS t WHERE t.id = r.task_id))
               FROM (SELECT task_id FROM %2$s TABLESAMPLE SYSTEM (%3$s)
                      WHERE task_id IS NOT NULL LIMIT 10000) AS r',
            pair.tasks, pair.results, share) INTO looked_at, orphans;
        severity := CASE WHEN orphans > 0 THEN 'warning'
                         WHEN looked_at = 0 AND total > 0 THEN 'unknown' ELSE 'ok' END;
        finding := format(CASE WHEN orphans > 0 THEN 'about %s %% of %s have no task'
                               ELSE '0 %% of %2$s have no task, as far as the sample shows' END,
                          round(100.0 * orphans / greatest(looked_at, 1), 2), pair.results);
        evidence := format('%s of %s results looked at; the table has about %s', orphans, looked_at,
                           total);
        confidence := CASE
            WHEN share >= 100 AND looked_at < 10000 THEN 'measured: every result was looked at'
            WHEN looked_at = 0 THEN 'not measured: the sample was empty'
            WHEN looked_at >= 10000 THEN 'only the first 10000 results found were looked at'
            WHEN orphans = 0
            THEN format('sample: fewer than %s %% with 95 %% certainty, if orphans are spread '
                        'evenly over the pages', round(300.0 / looked_at, 3))
            ELSE format('sample: plus or minus %s %% with 95 %% certainty, if orphans are spread '
                        'evenly over the pages', round(196 * sqrt(orphans::numeric
                        * greatest(looked_at - orphans, 1)) / looked_at ^ 1.5, 2)) END;
        fix_sql := CASE WHEN orphans > 0 THEN
            format('DELETE FROM %2$s AS r WHERE NOT EXISTS (SELECT FROM %1$s AS t '
                   'WHERE t.id = r.task_id); -- removes rows: SELECT them first, and in parts '
                   'where they are many', pair.tasks, pair.results) END;
        RETURN NEXT;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION monitoring.orphaned_results() IS
'Share of ai_results whose task does not exist, from a sample of about 2000 results; the column
confidence says how sure that is.';

GRANT EXECUTE ON FUNCTION monitoring.orphaned_results() TO pg_monitor;
