-- what: what an apply did in this database, last change first
-- servers: 14..
-- $1 apply id
SELECT seq, advisor, key, what, undo, undo_guard, undo_guard_database, is_transactional, needs
  FROM pgdeck.journal
 WHERE apply_id = $1::uuid AND state IN ('started', 'done', 'failed', 'kept')
   AND (state <> 'failed' OR NOT is_transactional)
 ORDER BY seq DESC
