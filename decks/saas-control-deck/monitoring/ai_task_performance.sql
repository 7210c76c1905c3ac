-- what: times and failures of the AI tasks of the last 24 hours, by table and type
-- object: function monitoring.ai_task_performance()
-- servers: 14..18
-- needs: table ai_tasks(status, task_type, created_at, started_at, completed_at)
-- after: monitoring.src_tables
-- grant: select (status, task_type, created_at, started_at, completed_at) on ai_tasks
-- The table is looked up by name when it is read: a view over it would forbid the product's own
-- migrations (ALTER COLUMN TYPE, DROP) and would follow the old table when a conversion swaps it. A
-- lock is waited for 50 ms at most. Without an index on created_at a table over 200 MB is sampled
-- instead of read whole.
CREATE OR REPLACE FUNCTION monitoring.ai_task_performance()
RETURNS TABLE (table_name text, task_type text, tasks bigint, pending bigint, running bigint,
               completed bigint, failed bigint, cancelled bigint, failed_percent numeric,
               mean_s numeric, p50_s numeric, p95_s numeric, max_s numeric, mean_wait_s numeric,
               p95_wait_s numeric, oldest_pending interval, basis text)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '50ms'
AS $function$
DECLARE
    place record;
BEGIN
    FOR place IN
        SELECT format('%I.%I', n.nspname, c.relname) AS sql_name,
               (SELECT bool_and(has_column_privilege(c.oid, a.attnum, 'SELECT'))
                  FROM pg_attribute AS a
                 WHERE a.attrelid = c.oid AND a.attname IN ('status', 'task_type', 'created_at',
                                                            'started_at', 'completed_at'))
                   AND has_schema_privilege(n.oid, 'USAGE') AS readable,
               EXISTS (SELECT FROM pg_index AS i
                         JOIN pg_attribute AS a ON a.attrelid = i.indrelid
                                               AND a.attnum = i.indkey[0]
                        WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL
                          AND a.attname = 'created_at') AS indexed,
               greatest((SELECT sum(t.about_bytes) FROM monitoring.src_tables AS t
                          WHERE t.root_relid = c.oid)
                        / current_setting('block_size')::integer, 1) AS pages
          FROM pg_class AS c
          JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relname = 'ai_tasks' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND c.relpersistence <> 't'
           AND 5 = (SELECT count(*) FROM pg_attribute AS a
                     WHERE a.attrelid = c.oid AND NOT a.attisdropped
                       AND a.attname IN ('status', 'task_type', 'created_at', 'started_at',
                                         'completed_at'))
         ORDER BY n.nspname
    LOOP
        table_name := place.sql_name;
        IF NOT place.readable THEN
            basis := 'not measurable with this role: no SELECT on the columns of '
                     || place.sql_name;
            RETURN NEXT;
            CONTINUE;
        END IF;
        BEGIN
            RETURN QUERY EXECUTE format($query$
                WITH task AS (
                    SELECT format('%%s', t.status) AS status,
                           format('%%s', t.task_type) AS task_type,
                           t.created_at, t.started_at,
                           extract(epoch FROM t.completed_at - t.started_at) AS run_s,
                           extract(epoch FROM t.started_at - t.created_at) AS wait_s
                      FROM %1$s AS t %2$s
                     WHERE t.created_at > now() - interval '24 hours'
                ), typed AS (
                    SELECT task_type, count(*) AS tasks,
                           count(*) FILTER (WHERE status = 'pending') AS pending,
                           count(*) FILTER (WHERE status = 'running') AS running,
                           count(*) FILTER (WHERE status = 'completed') AS completed,
                           count(*) FILTER (WHERE status = 'failed') AS failed,
                           count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
                           avg(run_s) FILTER (WHERE status = 'completed') AS mean_s,
                           percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY run_s)
                               FILTER (WHERE status = 'completed') AS run,
                           max(run_s) FILTER (WHERE status = 'completed') AS max_s,
                           avg(wait_s) AS mean_wait_s,
                           percentile_cont(0.95) WITHIN GROUP (ORDER BY wait_s) AS p95_wait_s,
                           now() - min(created_at) FILTER (WHERE status = 'pending') AS oldest
                      FROM task
                     GROUP BY task_type
                )
                SELECT %3$L::text, task_type, tasks, pending, running, completed, failed, cancelled,
                       round(100.0 * failed / nullif(completed + failed, 0), 2),
                       round(mean_s::numeric, 3), round(run[1]::numeric, 3),
                       round(run[2]::numeric, 3), round(max_s::numeric, 3),
                       round(mean_wait_s::numeric, 3), round(p95_wait_s::numeric, 3),
                       date_trunc('second', oldest), %4$L::text
                  FROM typed
                 ORDER BY tasks DESC, task_type
                $query$,
                place.sql_name,
                CASE WHEN place.indexed OR place.pages <= 25600 THEN ''
                     ELSE format('TABLESAMPLE SYSTEM (%s)', 2560000.0 / place.pages) END,
                place.sql_name,
                CASE WHEN place.indexed OR place.pages <= 25600
                     THEN 'all tasks created in the last 24 hours'
                     ELSE format('estimate: a sample of about %s %% of the table''s pages, counts '
                                 'not scaled up; an index on created_at would make it exact',
                                 round(2560000.0 / place.pages, 1)) END);
        EXCEPTION WHEN lock_not_available THEN
            basis := 'not measurable now: another session holds or waits for a lock on '
                     || place.sql_name;
            RETURN NEXT;
        END;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION monitoring.ai_task_performance() IS
'AI tasks created in the last 24 hours, by task_type; read v_ai_task_performance.';

GRANT EXECUTE ON FUNCTION monitoring.ai_task_performance() TO pg_monitor;
