-- name: active_sessions
-- class: lookup
-- what: sessions of one user that have not expired
-- uses: user_sessions_user_id_expires_at_idx
-- $1 user uuid: SELECT user_id FROM user_sessions ORDER BY expires_at DESC, id LIMIT 200
SELECT id, client_address, user_agent, created_at, last_seen_at, expires_at
  FROM user_sessions
 WHERE user_id = $1 AND expires_at > now()
 ORDER BY expires_at DESC, id;
