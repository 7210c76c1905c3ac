-- what: times and confidence of each AI model over the last 24 hours
-- object: function monitoring.ai_model_performance()
-- servers: 14..18
-- needs: table ai_results(model_id, processing_time_ms, confidence_score, created_at)
-- needs: table ai_models(id, name, version)
-- after: monitoring.src_tables
-- grant: select (model_id, processing_time_ms, confidence_score, created_at) on ai_results
-- grant: select (id, name, version) on ai_models
-- Looked up by name when it is read, as ai_task_performance() does, and for the same reasons.
CREATE OR REPLACE FUNCTION monitoring.ai_model_performance()
RETURNS TABLE (table_name text, model_id bigint, model text, results bigint, mean_ms numeric,
               p50_ms numeric, p95_ms numeric, max_ms numeric, mean_confidence numeric,
               last_result timestamp with time zone, basis text)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '50ms'
AS $function$
DECLARE
    place record;
    sample numeric;
BEGIN
    FOR place IN
        SELECT r.sql_name AS results, m.sql_name AS models,
               has_schema_privilege(r.schema_name, 'USAGE')
                   AND has_column_privilege(r.relid, 'model_id', 'SELECT')
                   AND has_column_privilege(r.relid, 'processing_time_ms', 'SELECT')
                   AND has_column_privilege(r.relid, 'confidence_score', 'SELECT')
                   AND has_column_privilege(r.relid, 'created_at', 'SELECT')
                   AND has_column_privilege(m.relid, 'id', 'SELECT')
                   AND has_column_privilege(m.relid, 'name', 'SELECT')
                   AND has_column_privilege(m.relid, 'version', 'SELECT') AS readable,
               EXISTS (SELECT FROM pg_index AS i
                         JOIN pg_attribute AS a ON a.attrelid = i.indrelid
                                               AND a.attnum = i.indkey[0]
                        WHERE i.indrelid = r.relid AND i.indisvalid AND i.indpred IS NULL
                          AND a.attname = 'created_at') AS indexed,
               greatest((SELECT sum(t.about_bytes) FROM monitoring.src_tables AS t
                          WHERE t.root_relid = r.relid)
                        / current_setting('block_size')::integer, 1) AS pages
          FROM monitoring.src_tables AS r
          JOIN monitoring.src_tables AS m ON m.schema_name = r.schema_name
         WHERE r.table_name = 'ai_results' AND r.partition_of IS NULL AND r.relkind IN ('r', 'p')
           AND m.table_name = 'ai_models' AND m.partition_of IS NULL AND m.relkind IN ('r', 'p')
           AND 4 = (SELECT count(*) FROM pg_attribute AS a
                     WHERE a.attrelid = r.relid AND NOT a.attisdropped
                       AND a.attname IN ('model_id', 'processing_time_ms', 'confidence_score',
                                         'created_at'))
           AND 3 = (SELECT count(*) FROM pg_attribute AS a
                     WHERE a.attrelid = m.relid AND NOT a.attisdropped
                       AND a.attname IN ('id', 'name', 'version'))
    LOOP
        table_name := place.results;
        IF NOT place.readable THEN
            basis := 'not measurable with this role: no SELECT on the columns of '
                     || place.results || ' and ' || place.models;
            RETURN NEXT;
            CONTINUE;
        END IF;
        sample := CASE WHEN place.indexed OR place.pages <= 25600 THEN 100
                       ELSE round(2560000.0 / place.pages, 4) END;
        BEGIN
            RETURN QUERY EXECUTE format($query$
                SELECT %1$L::text, r.model_id::bigint, format('%%s %%s', m.name, m.version),
                       count(*), round(avg(r.processing_time_ms), 1),
                       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY r.processing_time_ms)
                             ::numeric, 1),
                       round(percentile_cont(0.95) WITHIN GROUP (ORDER BY r.processing_time_ms)
                             ::numeric, 1),
                       max(r.processing_time_ms)::numeric, round(avg(r.confidence_score), 4),
                       max(r.created_at), %4$L::text
                  FROM %1$s AS r %3$s
                  LEFT JOIN %2$s AS m ON m.id = r.model_id
                 WHERE r.created_at > now() - interval '24 hours'
                 GROUP BY r.model_id, m.name, m.version
                 ORDER BY 4 DESC, 2
                $query$, place.results, place.models,
                CASE WHEN sample < 100 THEN format('TABLESAMPLE SYSTEM (%s)', sample) ELSE '' END,
                CASE WHEN sample < 100
                     THEN format('estimate: a sample of about %s %% of the table''s pages, counts '
                                 'not scaled up; an index on created_at would make it exact',
                                 round(sample, 1))
                     ELSE 'all results of the last 24 hours' END);
        EXCEPTION WHEN lock_not_available THEN
            basis := 'not measurable now: another session holds or waits for a lock on '
                     || place.results || ' or ' || place.models;
            RETURN NEXT;
        END;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION monitoring.ai_model_performance() IS
'Results of the last 24 hours by model; read v_ai_model_performance.';

GRANT EXECUTE ON FUNCTION monitoring.ai_model_performance() TO pg_monitor;
