-- what: pg_stat_statements in one shape, whatever its version, its schema, or its absence
-- object: function monitoring.statement_counters(with_text boolean)
-- servers: 14..18
-- A view over the extension would forbid ALTER EXTENSION UPDATE, which drops and makes the
-- extension's own view anew; so it is looked up when it is read. Column names differ between 1.8
-- and 1.12.
CREATE OR REPLACE FUNCTION monitoring.statement_counters(with_text boolean)
RETURNS TABLE (database_oid oid, role_oid oid, query_id bigint, calls bigint,
               total_ms double precision, mean_ms double precision, min_ms double precision,
               max_ms double precision, stddev_ms double precision, result_rows bigint,
               cache_hits bigint, cache_reads bigint, temp_blocks bigint, io_ms double precision,
               wal_bytes numeric, counted_since timestamp with time zone, query text, problem text)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    place text;
    has text[];
    since text;
BEGIN
    SELECT n.nspname, coalesce(p.proargnames, '{}') INTO place, has
      FROM pg_extension AS e
      JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
                         AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
      JOIN pg_proc AS p ON p.oid = d.objid AND p.proname = 'pg_stat_statements'
      JOIN pg_namespace AS n ON n.oid = p.pronamespace
     WHERE e.extname = 'pg_stat_statements';
    IF place IS NULL THEN
        problem := 'not measurable: the extension pg_stat_statements is not installed in this '
                   'database (CREATE EXTENSION pg_stat_statements)';
    ELSIF current_setting('pg_stat_statements.max', true) IS NULL THEN
        problem := 'not measurable: pg_stat_statements is not in shared_preload_libraries '
                   '(takes a restart)';
    ELSIF NOT 'total_exec_time' = ANY (has) THEN
        problem := 'not measurable: this version of the extension is too old '
                   '(ALTER EXTENSION pg_stat_statements UPDATE)';
    END IF;
    IF problem IS NOT NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;

    since := CASE WHEN 'stats_since' = ANY (has) THEN 's.stats_since'
                  WHEN 'toplevel' = ANY (has)
                  THEN format('(SELECT i.stats_reset FROM %I.pg_stat_statements_info() AS i)',
                              place)
                  ELSE 'NULL::timestamptz' END;
    RETURN QUERY EXECUTE format(
        'SELECT s.dbid, s.userid, s.queryid, s.calls, s.total_exec_time, s.mean_exec_time,
                s.min_exec_time, s.max_exec_time, s.stddev_exec_time, s.rows,
                s.shared_blks_hit, s.shared_blks_read, s.temp_blks_read + s.temp_blks_written,
                %s, s.wal_bytes, %s, s.query, NULL::text
           FROM %I.pg_stat_statements(%L) AS s',
        CASE WHEN 'shared_blk_read_time' = ANY (has)
             THEN 's.shared_blk_read_time + s.shared_blk_write_time'
             ELSE 's.blk_read_time + s.blk_write_time' END,
        since, place, with_text);
END
$function$;

COMMENT ON FUNCTION monitoring.statement_counters(with_text boolean) IS
'Statement statistics of the whole server; without their texts that is cheap. Where they
cannot be had, one row whose column problem says why. Read v_slow_queries instead.';

GRANT EXECUTE ON FUNCTION monitoring.statement_counters(with_text boolean) TO pg_monitor;
