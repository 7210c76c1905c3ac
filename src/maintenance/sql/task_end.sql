-- what: ends a task: what there is after it, and what it gained
-- servers: 14..
-- $1 run bigint, $2 seq integer, $3 state text, $4 error text
-- returns: gained, seconds, wal_bytes
WITH now AS (
    SELECT t.run_id, t.seq, t.before AS b,
           (SELECT jsonb_build_object('bytes', pg_total_relation_size(c.oid),
                                      'dead', pg_stat_get_dead_tuples(c.oid),
                                      'age', CASE WHEN c.relkind IN ('r', 'm', 't')
                                                  THEN age(c.relfrozenxid) END,
                                      'rows', greatest(c.reltuples, 0)::bigint,
                                      'changed', pg_stat_get_mod_since_analyze(c.oid),
                                      'wal', pg_current_wal_insert_lsn() - '0/0'::pg_lsn)
              FROM pg_class AS c WHERE c.oid = to_regclass(t.relation)) AS a
      FROM pgdeck.maintenance_task AS t
     WHERE t.run_id = $1::bigint AND t.seq = $2::integer
), said AS (
    SELECT n.*, concat_ws(', ',
           CASE WHEN (b->>'dead')::bigint > (a->>'dead')::bigint
                THEN format('%s dead rows cleared', (b->>'dead')::bigint - (a->>'dead')::bigint) END,
           CASE WHEN (b->>'bytes')::bigint > (a->>'bytes')::bigint
                THEN format('%s given back, %s left',
                            pg_size_pretty((b->>'bytes')::bigint - (a->>'bytes')::bigint),
                            pg_size_pretty((a->>'bytes')::bigint)) END,
           CASE WHEN (b->>'age')::bigint > (a->>'age')::bigint + 1000000
                THEN format('%s transactions younger', (b->>'age')::bigint - (a->>'age')::bigint)
                END,
           CASE WHEN (b->>'changed')::bigint > (a->>'changed')::bigint
                THEN format('statistics of %s rows, %s of them changed since the last',
                            a->>'rows', (b->>'changed')::bigint - (a->>'changed')::bigint)
                WHEN (b->>'rows')::bigint = 0 AND (a->>'rows')::bigint > 0
                THEN format('statistics of %s rows', a->>'rows') END) AS gained
      FROM now AS n
)
UPDATE pgdeck.maintenance_task AS t
   SET state = $3, error = $4, finished_at = clock_timestamp(), after = s.a,
       gained = CASE WHEN $3 = 'done' THEN s.gained END
  FROM said AS s
 WHERE t.run_id = s.run_id AND t.seq = s.seq
RETURNING t.gained, extract(epoch FROM t.finished_at - t.started_at) AS seconds,
          coalesce((s.a->>'wal')::numeric - (s.b->>'wal')::numeric, 0)::bigint AS wal_bytes
