-- name: account_history
-- class: lookup
-- what: the last transactions of one account
-- uses: pgbench_history_aid_mtime_idx
-- $1 account integer: SELECT aid FROM (SELECT aid FROM pgbench_history ORDER BY mtime DESC, aid LIMIT 200) h UNION ALL SELECT min(aid) FROM pgbench_accounts
SELECT mtime, tid, bid, delta
  FROM pgbench_history
 WHERE aid = $1
 ORDER BY mtime DESC, tid, delta
 LIMIT 20;
