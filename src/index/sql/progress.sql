-- what: how far a session's build of an index is; and how many others have waited for a lock of
--       this session for longer than $2, which others again may wait behind
-- servers: 14..
-- $1 pid int, $2 milliseconds bigint
SELECT p.phase, p.blocks_done, p.blocks_total, p.tuples_done, p.tuples_total,
       p.lockers_done, p.lockers_total,
       (SELECT count(*) FROM pg_locks w JOIN pg_stat_activity a ON a.pid = w.pid
         WHERE NOT w.granted AND w.pid <> me.pid AND a.backend_type = 'client backend'
           AND clock_timestamp() - w.waitstart > $2::bigint * interval '1 ms'
           AND me.pid = ANY (pg_blocking_pids(w.pid))) AS behind
  FROM (SELECT $1::int AS pid) me
  LEFT JOIN pg_stat_progress_create_index p ON p.pid = me.pid
