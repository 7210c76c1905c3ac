-- name: unread_notifications
-- class: lookup
-- what: what one user has not read yet
-- uses: notifications_user_id_unread_idx
-- $1 user uuid: SELECT user_id FROM notifications ORDER BY id DESC LIMIT 200
SELECT id, kind, title, payload, created_at
  FROM notifications
 WHERE user_id = $1 AND read_at IS NULL
 ORDER BY created_at DESC, id DESC
 LIMIT 50;
