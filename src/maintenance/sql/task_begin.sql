-- what: begins a task: its record, its timeout, and what there is before it
-- servers: 14..
-- $1 run bigint, $2 task text, $3 relation text, $4 what text, $5 why text, $6 sql text,
-- $7 timeout text
-- returns: seq
WITH timeout AS (SELECT set_config('statement_timeout', $7, false) AS value)
INSERT INTO pgdeck.maintenance_task (run_id, seq, task, relation, what, why, sql, state, before)
SELECT $1::bigint, coalesce((SELECT max(seq) FROM pgdeck.maintenance_task
                              WHERE run_id = $1::bigint), 0) + 1,
       $2, $3, $4, $5, $6, 'running',
       (SELECT jsonb_build_object('bytes', pg_total_relation_size(c.oid),
                                  'dead', pg_stat_get_dead_tuples(c.oid),
                                  'age', CASE WHEN c.relkind IN ('r', 'm', 't')
                                              THEN age(c.relfrozenxid) END,
                                  'rows', greatest(c.reltuples, 0)::bigint,
                                  'changed', pg_stat_get_mod_since_analyze(c.oid),
                                  'wal', pg_current_wal_insert_lsn() - '0/0'::pg_lsn)
          FROM pg_class AS c WHERE c.oid = to_regclass($3))
  FROM timeout AS t
 WHERE t.value IS NOT NULL
RETURNING seq
