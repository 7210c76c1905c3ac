-- what: takes a sample of this database into its history; for cron, every 5 minutes
-- object: function monitoring.record_performance_metrics()
-- servers: 14..18
-- after: monitoring.statement_counters(with_text boolean), monitoring.statements_info()
-- after: monitoring.statement_history, monitoring.database_history, monitoring.history_gaps
-- after: monitoring.statement_last, monitoring.history_state, monitoring.query_texts
-- after: monitoring.v_checkpoint_stats, monitoring.src_counted_since, monitoring.deck_values
-- after: monitoring.keep_history(), monitoring.growth_history, monitoring.src_sequences
-- Counters are subtracted from those of the sample before; where they began anew (another
-- counted_since, or fewer calls) they count from zero, and what ran until then is a gap. Nobody's
-- statistics are reset.
CREATE OR REPLACE FUNCTION monitoring.record_performance_metrics()
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s'
SET timezone = 'UTC'
SET jit = off
SET work_mem = '16MB'
AS $function$
DECLARE
    began timestamptz := clock_timestamp();
    before record;
    info record;
    database oid := (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database());
    why text := (SELECT s.problem FROM monitoring.statement_counters(false) AS s
                  WHERE s.problem IS NOT NULL);
    recorded bigint := 0;
BEGIN
    IF NOT has_table_privilege('monitoring.statement_history', 'INSERT') THEN
        RAISE insufficient_privilege USING
            MESSAGE = 'only the owner of the tables of the schema monitoring can record history',
            HINT = 'Run it as the role that ran pgdeck apply, or as a superuser.';
    END IF;
    IF NOT pg_try_advisory_xact_lock(hashtext('pgdeck history')) THEN
        RETURN 'nothing recorded: another session is at it';
    END IF;
    PERFORM monitoring.keep_history();
    SELECT s.at, s.statements_since, s.evicted INTO before FROM monitoring.history_state AS s;
    SELECT i.counted_since, i.evicted INTO info FROM monitoring.statements_info() AS i;

    IF why IS NULL THEN
        WITH current AS MATERIALIZED (
            SELECT coalesce(s.query_id, 0) AS query_id, s.role_oid,
                   min(s.counted_since) AS counted_since, sum(s.calls)::bigint AS calls,
                   sum(s.total_ms) AS total_ms, sum(s.result_rows)::bigint AS result_rows,
                   sum(s.cache_hits)::bigint AS cache_hits,
                   sum(s.cache_reads)::bigint AS cache_reads,
                   sum(s.temp_blocks)::bigint AS temp_blocks, sum(s.io_ms) AS io_ms,
                   sum(s.wal_bytes) AS wal_bytes
              FROM monitoring.statement_counters(false) AS s
             WHERE s.database_oid = database
             GROUP BY 1, 2
        ), changed AS (
            SELECT c.query_id, c.role_oid, c.calls - l.calls AS calls,
                   c.total_ms - l.total_ms AS total_ms,
                   c.result_rows - l.result_rows AS result_rows,
                   c.cache_hits - l.cache_hits AS cache_hits,
                   c.cache_reads - l.cache_reads AS cache_reads,
                   c.temp_blocks - l.temp_blocks AS temp_blocks, c.io_ms - l.io_ms AS io_ms,
                   c.wal_bytes - l.wal_bytes AS wal_bytes
              FROM current AS c
              LEFT JOIN monitoring.statement_last AS k
                ON k.query_id = c.query_id AND k.role_oid = c.role_oid
               AND k.counted_since IS NOT DISTINCT FROM c.counted_since AND k.calls <= c.calls
             CROSS JOIN LATERAL (
                   SELECT coalesce(k.calls, 0) AS calls, coalesce(k.total_ms, 0) AS total_ms,
                          coalesce(k.result_rows, 0) AS result_rows,
                          coalesce(k.cache_hits, 0) AS cache_hits,
                          coalesce(k.cache_reads, 0) AS cache_reads,
                          coalesce(k.temp_blocks, 0) AS temp_blocks,
                          coalesce(k.io_ms, 0) AS io_ms, coalesce(k.wal_bytes, 0) AS wal_bytes) AS l
             WHERE before.at IS NOT NULL AND c.calls > l.calls
        ), ranked AS (
            SELECT c.*, row_number() OVER (ORDER BY c.total_ms DESC) <= 45 AS is_kept
              FROM changed AS c
        ), added AS (
            INSERT INTO monitoring.statement_history
            SELECT began, before.at, CASE WHEN r.is_kept THEN r.query_id ELSE 0 END AS id,
                   CASE WHEN r.is_kept THEN r.role_oid ELSE 0 END AS role,
                   sum(r.calls), sum(r.total_ms), sum(r.result_rows), sum(r.cache_hits),
                   sum(r.cache_reads), sum(r.temp_blocks), sum(r.io_ms), sum(r.wal_bytes)
              FROM ranked AS r
             GROUP BY id, role
            RETURNING 1
        ), gone AS (
            DELETE FROM monitoring.statement_last AS l
             WHERE NOT EXISTS (SELECT FROM current AS c
                                WHERE c.query_id = l.query_id AND c.role_oid = l.role_oid)
        ), kept AS (
            INSERT INTO monitoring.statement_last AS l
            SELECT c.query_id, c.role_oid, c.counted_since, c.calls, c.total_ms, c.result_rows,
                   c.cache_hits, c.cache_reads, c.temp_blocks, c.io_ms, c.wal_bytes
              FROM current AS c
                ON CONFLICT (query_id, role_oid) DO UPDATE
               SET counted_since = excluded.counted_since, calls = excluded.calls,
                   total_ms = excluded.total_ms, result_rows = excluded.result_rows,
                   cache_hits = excluded.cache_hits, cache_reads = excluded.cache_reads,
                   temp_blocks = excluded.temp_blocks, io_ms = excluded.io_ms,
                   wal_bytes = excluded.wal_bytes
             WHERE (l.calls, l.counted_since) IS DISTINCT FROM
                   (excluded.calls, excluded.counted_since)
        )
        SELECT count(*) INTO recorded FROM added;

        INSERT INTO monitoring.history_gaps
        SELECT before.at, info.counted_since,
               'statement statistics began anew: a reset, or the server crashed'
         WHERE info.counted_since > before.at
         UNION ALL
        SELECT before.at, began, 'pg_stat_statements had no room and dropped statements '
                                 '(pg_stat_statements.max)'
         WHERE info.evicted > before.evicted AND info.counted_since <= before.at;

        IF EXISTS (SELECT FROM monitoring.statement_history AS h
                    WHERE h.at = began AND h.query_id <> 0
                      AND NOT EXISTS (SELECT FROM monitoring.query_texts AS q
                                       WHERE q.query_id = h.query_id)) THEN
            INSERT INTO monitoring.query_texts
            SELECT DISTINCT ON (s.query_id) s.query_id, left(s.query, 4000)
              FROM monitoring.statement_counters(true) AS s
             WHERE s.query IS NOT NULL
               AND s.query_id IN (SELECT h.query_id FROM monitoring.statement_history AS h
                                   WHERE h.at = began)
                ON CONFLICT DO NOTHING;
        END IF;
    END IF;

    BEGIN -- a sequence that another session has locked costs this sample its growth only
        INSERT INTO monitoring.growth_history
        SELECT began, g.kind, g.name, g.value
          FROM (SELECT 'database' AS kind, '' AS name,
                       pg_database_size(database)::numeric AS value
                 UNION ALL
                SELECT 'transaction ids', '',
                       pg_snapshot_xmax(pg_current_snapshot())::text::numeric
                 UNION ALL
                (SELECT 'sequence', s.sql_name, s.last_value
                   FROM monitoring.src_sequences AS s
                  WHERE s.percent >= 1
                  ORDER BY s.percent DESC
                  LIMIT 100)) AS g
         WHERE NOT EXISTS (SELECT FROM monitoring.growth_history AS h
                            WHERE h.at > began - interval '55 minutes');
    EXCEPTION WHEN lock_not_available THEN
        NULL;
    END;
    DELETE FROM monitoring.history_state;
    INSERT INTO monitoring.history_state VALUES (began, info.counted_since, info.evicted);
    INSERT INTO monitoring.database_history
    SELECT began, c.counted_since, a.connections, a.active, a.idle_in_transaction, a.waiting,
           s.xact_commit, s.xact_rollback, s.blks_hit, s.blks_read, s.temp_files, s.temp_bytes,
           s.deadlocks, pg_database_size(database), k.timed, k.requested, w.wal_bytes,
           round(1000 * extract(epoch FROM clock_timestamp() - began), 1)
      FROM pg_stat_database AS s
      JOIN monitoring.src_counted_since AS c ON c.database_oid = s.datid
     CROSS JOIN monitoring.v_checkpoint_stats AS k
     CROSS JOIN pg_stat_wal AS w
     CROSS JOIN (SELECT count(*) AS connections,
                        count(*) FILTER (WHERE b.state = 'active') AS active,
                        count(*) FILTER (WHERE b.state LIKE 'idle in transaction%')
                            AS idle_in_transaction,
                        count(*) FILTER (WHERE b.wait_event_type = 'Lock') AS waiting
                   FROM pg_stat_activity AS b
                  WHERE b.datid = database AND b.backend_type = 'client backend') AS a
     WHERE s.datid = database;
    RETURN format('%s statements recorded%s', recorded,
                  CASE WHEN why IS NOT NULL THEN '; ' || why
                       WHEN before.at IS NULL THEN ': the first sample, to subtract from the next'
                       ELSE format(' for the time since %s', date_trunc('second', before.at)) END);
END
$function$;

COMMENT ON FUNCTION monitoring.record_performance_metrics() IS
'SELECT monitoring.record_performance_metrics(): adds a sample to the history, which
v_query_performance_trends and v_cache_hit_ratio read. Run it every 5 minutes in each database, from
cron, as the role that ran pgdeck apply. It makes the partition of the day, drops those older than
the deck''s history, and resets nobody''s statistics. Look at
database_history.took_ms for its cost.';

GRANT EXECUTE ON FUNCTION monitoring.record_performance_metrics() TO pg_monitor;
