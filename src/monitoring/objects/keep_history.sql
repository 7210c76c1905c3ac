-- what: makes the partitions of today and tomorrow, drops those that are too old
-- object: function monitoring.keep_history()
-- servers: 14..18
-- after: monitoring.statement_history, monitoring.database_history, monitoring.deck_values
-- after: monitoring.history_gaps, monitoring.query_texts, monitoring.growth_history
-- after: monitoring.target_history
CREATE OR REPLACE FUNCTION monitoring.keep_history()
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $function$
DECLARE
    keep interval := coalesce((SELECT v.value FROM monitoring.deck_values AS v
                                WHERE v.kind = 'history'), '30 days')::interval;
    history text;
    day date;
    part record;
BEGIN
    FOREACH history IN ARRAY ARRAY['statement_history', 'database_history', 'growth_history',
                                 'target_history']
    LOOP
        FOR day IN SELECT d FROM generate_series(current_date, current_date + 1, '1 day') AS g (d)
        LOOP
            CONTINUE WHEN to_regclass(format('monitoring.%I', history || to_char(day, '_YYYYMMDD')))
                          IS NOT NULL;
            EXECUTE format('CREATE TABLE monitoring.%I PARTITION OF monitoring.%I '
                           'FOR VALUES FROM (%L) TO (%L)', history || to_char(day, '_YYYYMMDD'),
                           history, day::timestamptz, (day + 1)::timestamptz);
        END LOOP;
        FOR part IN
            SELECT c.relname
              FROM pg_inherits AS i
              JOIN pg_class AS c ON c.oid = i.inhrelid
             WHERE i.inhparent = format('monitoring.%I', history)::regclass
               AND c.relname ~ '_[0-9]{8}$'
               AND to_date(right(c.relname, 8), 'YYYYMMDD') + 1 < now() - keep
        LOOP
            EXECUTE format('DROP TABLE monitoring.%I', part.relname);
            DELETE FROM monitoring.query_texts AS q
             WHERE history = 'statement_history'
               AND NOT EXISTS (SELECT FROM monitoring.statement_history AS h
                                WHERE h.query_id = q.query_id);
            DELETE FROM monitoring.history_gaps AS g WHERE g.until < now() - keep;
        END LOOP;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION monitoring.keep_history() IS
'Makes the partitions of the history for today and tomorrow and drops those that are older than the
deck''s history; record_performance_metrics() runs it.';

GRANT EXECUTE ON FUNCTION monitoring.keep_history() TO pg_monitor;
