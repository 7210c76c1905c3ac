-- what: the tables that need VACUUM or ANALYZE, and the statement that does it
-- servers: 14..
-- $1 share of dead rows float8, $2 share of changed rows float8, $3 share of
-- autovacuum_freeze_max_age float8
-- returns: task, relation, what, why, sql, may (whether this role may)
WITH state AS (
    SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS name,
           CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::oid END AS root,
           n.nspname IN ('pg_catalog', 'information_schema', 'pgdeck') AS is_system,
           c.reltuples, coalesce(s.n_live_tup, 0) AS live, coalesce(s.n_dead_tup, 0) AS dead,
           coalesce(s.n_mod_since_analyze, 0) AS changed,
           greatest(s.last_analyze, s.last_autoanalyze) AS analyzed,
           greatest(age(c.relfrozenxid), age(t.relfrozenxid))
             > $3::float8 * current_setting('autovacuum_freeze_max_age')::bigint
             OR greatest(mxid_age(c.relminmxid), mxid_age(t.relminmxid))
             > $3::float8 * current_setting('autovacuum_multixact_freeze_max_age')::bigint AS is_old,
           greatest(age(c.relfrozenxid), age(t.relfrozenxid)) AS xid_age,
           pg_has_role(c.relowner, 'USAGE') OR pg_has_role(d.datdba, 'USAGE')
             OR CASE WHEN current_setting('server_version_num')::integer >= 170000
                     THEN has_table_privilege(c.oid, 'MAINTAIN') ELSE false END AS may
      FROM pg_class AS c
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
      JOIN pg_database AS d ON d.datname = current_database()
      LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid
      LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
     WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't'
       AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum AS p
                        WHERE p.datname = current_database() AND p.relid = c.oid)
), whole AS ( -- autovacuum never analyzes a partitioned table itself, only its partitions
    SELECT s.oid, s.name, s.may, s.analyzed, k.live, k.changed, k.newest
      FROM state AS s
     CROSS JOIN LATERAL (
           SELECT sum(l.live) AS live, sum(l.changed) AS changed, max(l.analyzed) AS newest
             FROM state AS l WHERE l.root = s.oid AND l.relkind = 'r') AS k
     WHERE s.relkind = 'p' AND s.root IS NULL AND k.live >= 50
       AND (s.analyzed IS NULL OR s.analyzed < now() - interval '1 hour'
            AND (k.changed >= 50 + $2::float8 * k.live OR k.newest > s.analyzed))
), judged AS (
    SELECT s.*, s.dead >= 50 + $1::float8 * greatest(s.reltuples, s.live) AS is_dead,
           (s.changed >= 50 + $2::float8 * greatest(s.reltuples, s.live, 0)
            OR s.reltuples < 0 AND s.live >= 50)
           AND NOT (current_setting('server_version_num')::integer < 180000
                    AND EXISTS (SELECT FROM whole AS w WHERE w.oid = s.root)) AS is_stale
      FROM state AS s
     WHERE s.relkind <> 'p'
), due AS (
    SELECT j.*, coalesce(j.is_old, false) AS do_freeze,
           NOT j.is_system AND j.is_dead AS do_vacuum, NOT j.is_system AND j.is_stale AS do_analyze
      FROM judged AS j
)
SELECT CASE WHEN do_freeze THEN 'freeze' WHEN do_vacuum THEN 'vacuum' ELSE 'analyze' END AS task,
       name AS relation,
       concat_ws(' and ', CASE WHEN do_freeze THEN 'freeze' WHEN do_vacuum THEN 'vacuum' END,
                 CASE WHEN do_analyze THEN 'analyze' END) || ' ' || name AS what,
       concat_ws('; ',
           CASE WHEN do_freeze THEN format('its oldest rows are %s transactions old', xid_age) END,
           CASE WHEN do_vacuum THEN format('%s dead rows beside %s live ones', dead, live) END,
           CASE WHEN do_analyze AND reltuples < 0 THEN format('%s rows, never analyzed', live)
                WHEN do_analyze THEN format('%s of %s rows changed since the last ANALYZE', changed,
                                         live) END) AS why,
       CASE WHEN do_freeze OR do_vacuum
            THEN format('VACUUM (%s) %s', concat_ws(', ', CASE WHEN do_freeze THEN 'FREEZE' END,
                        CASE WHEN do_analyze THEN 'ANALYZE' ELSE 'ANALYZE false' END), name)
            ELSE format('ANALYZE %s', name) END AS sql,
       may, CASE WHEN do_freeze THEN 0 ELSE 1 END AS turn, xid_age::float8 AS weight
  FROM due
 WHERE do_freeze OR do_vacuum OR do_analyze
 UNION ALL
SELECT 'analyze', name, format('analyze %s as a whole', name),
       CASE WHEN analyzed IS NULL THEN 'it never was; autovacuum leaves partitioned tables out'
            ELSE format('%s of %s rows changed; autovacuum leaves partitioned tables out', changed,
                        live) END,
       format(CASE WHEN current_setting('server_version_num')::integer >= 180000
                   THEN 'ANALYZE ONLY %s' ELSE 'ANALYZE %s' END, name), may, 2, live::float8
  FROM whole
 ORDER BY 7, 8 DESC, 2
